// SPDX-License-Identifier: Apache-2.0
// What the script left in its working directory: regular files, each copied into a sealed memfd and handed to the
// daemon one after the other. Symbolic links, devices, pipes and sockets are never opened.
#pragma once

#include "core/fd.hpp"
#include "jobs/protocol.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::jobs::spark {

struct Sheaf {
    protocol::Product product{};
    Fd data{}; // sealed
};

class Harvest {
public:
    Harvest() = default;
    // Lists, a bounded number of entries; `directory` must stay open.
    explicit Harvest(int directory);

    // The next one that may be sent; nullopt when there is none left.
    std::optional<Sheaf> next();
    // No more is sent; what was not is dropped, for this reason.
    void give_up(std::string_view why);

    std::uint32_t dropped() const { return dropped_; }
    const std::string& dropped_reason() const { return reason_; } // of the first

private:
    void list(int directory, const std::string& prefix);
    void look_at(int directory, const std::string& path, const char* name);
    std::optional<Sheaf> take(const std::string& path);
    void drop(const std::string& path, std::string_view why);

    int directory_ = -1;
    std::vector<std::string> paths_{}; // in order of names
    std::size_t at_ = 0;
    std::size_t seen_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint32_t dropped_ = 0;
    std::string reason_{};
};

} // namespace tocsin::jobs::spark
