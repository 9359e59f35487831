// SPDX-License-Identifier: Apache-2.0
// What the script writes: its output (kept up to a bound and sent on while it runs, counted beyond) and descriptor 3.
#pragma once

#include "core/fd.hpp"
#include "jobs/spark/link.hpp"

#include <cstdint>
#include <string>

namespace tocsin::jobs::spark {

class Capture {
public:
    Capture() = default;
    Capture(Fd output, Fd report, std::uint64_t kept_bytes_max)
        : output_(std::move(output)), report_(std::move(report)), kept_bytes_max_(kept_bytes_max) {}

    // -1 once its writers are gone.
    int output_fd() const { return output_.get(); }
    int report_fd() const { return report_.get(); }
    // Reads what is there, a bounded amount; call again while the descriptors are readable.
    void read(Link& link);
    // After the last process is gone: the rest of both.
    void drain(Link& link);

    std::uint64_t output_bytes() const { return seen_; }
    bool truncated() const { return seen_ > kept_bytes_max_; }
    const std::string& report() const { return line_; }

private:
    bool read_output(Link& link);
    bool read_report();
    Fd output_{};
    Fd report_{};
    std::uint64_t kept_bytes_max_ = 0;
    std::uint64_t seen_ = 0;
    std::string line_{};
};

} // namespace tocsin::jobs::spark
