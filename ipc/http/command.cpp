// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/command.hpp"

#include <algorithm>
#include <array>

namespace tocsin::ipc::http {
namespace {

struct Command {
    std::string_view pattern;
    std::string_view words;
    std::string_view subject = ""; // a placeholder for what the route's path names
    std::string_view more = "";
};

constexpr auto commands = std::to_array<Command>({
    {"/v1/events/{unique_index}/jobs", "tocsinctl jobs run", "INDEX", "SCRIPT"},
    {"/v1/events/{unique_index}/report", "tocsinctl jobs report", "INDEX", "--id NUMBER"},
    {"/v1/jobs/{id}/cancel", "tocsinctl jobs cancel", "ID"},
    {"/v1/jobs/{id}/rerun", "tocsinctl jobs rerun", "ID"},
    {"/v1/heartbeats/{source}/pause", "tocsinctl heartbeats pause", "SOURCE"},
    {"/v1/heartbeats/{source}/resume", "tocsinctl heartbeats resume", "SOURCE"},
    {"/v1/heartbeats/{source}/forget", "tocsinctl heartbeats forget", "SOURCE"},
    {"/v1/reload", "tocsinctl reload"},
    {"/v1/backup", "tocsinctl backup", "", "FILE"},
});

// Means itself in every shell, and is no option.
bool is_plain(std::string_view text) {
    constexpr std::size_t shown_max = 64;
    return !text.empty() && text.size() <= shown_max && text.front() != '-' && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
               c == '_' || c == '@' || c == ':';
    });
}

} // namespace

std::string command_for(const Route& route, const Request& request) {
    const auto found = std::ranges::find(commands, route.pattern, &Command::pattern);
    if (found == commands.end()) {
        return {};
    }
    std::string text(found->words);
    if (!found->subject.empty()) {
        const bool plain = !request.captured.empty() && is_plain(request.captured.front());
        text += ' ';
        text += plain ? std::string_view(request.captured.front()) : found->subject;
    }
    if (!found->more.empty()) {
        text += ' ';
        text += found->more;
    }
    return text;
}

} // namespace tocsin::ipc::http
