// SPDX-License-Identifier: Apache-2.0
#include "jobs/spark/capture.hpp"

#include "core/limits.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

namespace tocsin::jobs::spark {

namespace {

constexpr int reads_max = 16;        // of one pipe in one round, so that a flood keeps nobody waiting
constexpr int drain_rounds_max = 64; // 16 MiB: more than any pipe holds

enum class ReadStatus { some, none_now, closed };

struct ReadResult {
    ReadStatus status = ReadStatus::none_now;
    std::string_view bytes{};
};

ReadResult read_some(int fd, std::array<char, protocol::output_chunk_bytes>& buffer) {
    ssize_t size = -1;
    do {
        size = ::read(fd, buffer.data(), buffer.size());
    } while (size < 0 && errno == EINTR);
    if (size > 0) {
        return {ReadStatus::some, {buffer.data(), static_cast<std::size_t>(size)}};
    }
    return {size < 0 && errno == EAGAIN ? ReadStatus::none_now : ReadStatus::closed, {}};
}

} // namespace

// True where there may be more at once.
bool Capture::read_output(Link& link) {
    if (!output_.valid()) {
        return false;
    }
    std::array<char, protocol::output_chunk_bytes> buffer{};
    const auto result = read_some(output_.get(), buffer);
    if (result.status == ReadStatus::closed) {
        output_.reset();
    }
    if (seen_ < kept_bytes_max_ && !result.bytes.empty()) {
        link.send(protocol::Output{std::string(result.bytes.substr(0, kept_bytes_max_ - seen_))});
    }
    seen_ += result.bytes.size();
    return result.status == ReadStatus::some;
}

bool Capture::read_report() {
    if (!report_.valid()) {
        return false;
    }
    std::array<char, protocol::output_chunk_bytes> buffer{};
    const auto result = read_some(report_.get(), buffer);
    if (result.status == ReadStatus::closed) {
        report_.reset();
    }
    line_ += result.bytes.substr(0, limits::report_line_bytes + 1 - line_.size());
    return result.status == ReadStatus::some;
}

void Capture::read(Link& link) {
    for (int i = 0; i < reads_max && read_output(link); ++i) {
    }
    for (int i = 0; i < reads_max && read_report(); ++i) {
    }
}

void Capture::drain(Link& link) {
    for (int i = 0; i < drain_rounds_max * reads_max && read_output(link); ++i) {
    }
    for (int i = 0; i < drain_rounds_max * reads_max && read_report(); ++i) {
    }
    output_.reset();
    report_.reset();
}

} // namespace tocsin::jobs::spark
