// SPDX-License-Identifier: Apache-2.0
#include "daemon/logging.hpp"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

namespace tocsin::daemon::log {

namespace {

constexpr std::size_t message_bytes_max = std::size_t{8} * 1024;

struct Level {
    std::string_view name; // daemon.log_level
    spdlog::level::level_enum level;
    std::string_view prefix;
};

constexpr std::array<Level, 6> levels = {{{"trace", spdlog::level::trace, "<7>"},
                                          {"debug", spdlog::level::debug, "<7>"},
                                          {"info", spdlog::level::info, "<6>"},
                                          {"warning", spdlog::level::warn, "<4>"},
                                          {"error", spdlog::level::err, "<3>"},
                                          {"critical", spdlog::level::critical, "<2>"}}};

const Level& level_of(std::string_view name) {
    const auto found = std::ranges::find(levels, name, &Level::name);
    return found == levels.end() ? levels[2] : *found;
}

std::string_view prefix_of(spdlog::level::level_enum level) {
    const auto found = std::ranges::find(levels, level, &Level::level);
    return found == levels.end() ? "<6>" : found->prefix;
}

class PriorityFlag final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
        const std::string_view prefix = prefix_of(message.level);
        out.append(prefix.data(), prefix.data() + prefix.size());
    }
    std::unique_ptr<spdlog::custom_flag_formatter> clone() const override { return std::make_unique<PriorityFlag>(); }
};

bool stderr_is_the_journal() {
    const char* stream = getenv("JOURNAL_STREAM");
    const auto expected = stream == nullptr ? std::nullopt : parse_journal_stream(stream);
    struct stat status{};
    return expected && fstat(STDERR_FILENO, &status) == 0 && status.st_dev == expected->first &&
           status.st_ino == expected->second;
}

// `priority` as in front of a line: "<6>".
void send_to_journal(const std::string& message, std::string_view priority, const Fields& fields) {
    std::vector<std::string> texts{fmt::format("MESSAGE={}", message),
                                   fmt::format("PRIORITY={}", priority.substr(1, 1)), "SYSLOG_IDENTIFIER=tocsind"};
    for (const auto& [name, value] : fields) {
        texts.push_back(fmt::format("{}={}", name, value));
    }
    std::vector<iovec> pieces;
    pieces.reserve(texts.size());
    for (std::string& text : texts) {
        pieces.push_back({.iov_base = text.data(), .iov_len = text.size()});
    }
    sd_journal_sendv(pieces.data(), static_cast<int>(pieces.size()));
}

void write(spdlog::level::level_enum level, std::string_view message) {
    if (spdlog::should_log(level)) {
        spdlog::log(level, "{}", one_line(message));
    }
}

void write_with(spdlog::level::level_enum level, std::string_view message, const Fields& fields) {
    if (!stderr_is_the_journal()) {
        write(level, message);
    } else if (spdlog::should_log(level)) {
        send_to_journal(one_line(message), prefix_of(level), fields);
    }
}

} // namespace

void start(std::string_view level) {
    auto logger = std::make_shared<spdlog::logger>("tocsind", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<PriorityFlag>('*');
    formatter->set_pattern(stderr_is_the_journal() ? "%*%v" : "%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
    logger->set_formatter(std::move(formatter));
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
    set_level(level);
}

void set_level(std::string_view level) {
    spdlog::set_level(level_of(level).level);
}

void debug(std::string_view message) {
    write(spdlog::level::debug, message);
}
void info(std::string_view message) {
    write(spdlog::level::info, message);
}
void warning(std::string_view message) {
    write(spdlog::level::warn, message);
}
void error(std::string_view message) {
    write(spdlog::level::err, message);
}

void info_with(std::string_view message, const Fields& fields) {
    write_with(spdlog::level::info, message, fields);
}

void say(const messages::Message& kind, std::string_view message, const Fields& fields) {
    constexpr std::array weights{spdlog::level::info, spdlog::level::warn, spdlog::level::err};
    Fields all{{"MESSAGE_ID", std::string(kind.id)}};
    all.insert(all.end(), fields.begin(), fields.end());
    write_with(weights.at(static_cast<std::size_t>(kind.weight)), message, all);
}

std::optional<std::pair<dev_t, ino_t>> parse_journal_stream(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    dev_t device = 0;
    ino_t inode = 0;
    const char* const middle = text.data() + colon;
    const char* const end = text.data() + text.size();
    const auto first = std::from_chars(&*text.begin(), middle, device);
    const auto second = std::from_chars(middle + 1, end, inode);
    if (first.ec != std::errc{} || first.ptr != middle || second.ec != std::errc{} || second.ptr != end) {
        return std::nullopt;
    }
    return std::pair(device, inode);
}

std::string one_line(std::string_view message) {
    std::string out;
    out.reserve(message.size());
    for (const char c : message.substr(0, message_bytes_max)) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += "\\t";
        } else if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    return out;
}

std::string_view priority_prefix(std::string_view level) {
    return level_of(level).prefix;
}

} // namespace tocsin::daemon::log
