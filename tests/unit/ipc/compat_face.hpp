// SPDX-License-Identifier: Apache-2.0
// A face on which the routes of older systems are open.
#pragma once

#include "http_face.hpp"

#include <string>

namespace tocsin::ipc::http::test {

inline constexpr CompatOptions every_older_system{
    .event_manager = true, .event_tracker = true, .api_monitor = true, .healthchecks = true};

class OlderFace : public Face {
public:
    explicit OlderFace(Limits limits = fast())
        : Face(limits, {.owner_uid = ::getuid(), .group = 50}, every_older_system) {}

    // The one event that was submitted last; an empty one where none was.
    Event last() const { return log.events.empty() ? Event{} : log.events.back(); }
};

// Refused by every face that was not told to open it.
inline bool is_closed_elsewhere(std::string_view method, const std::string& target) {
    Face face;
    Client client = face.connect();
    const Answer answer = face.ask(client, std::string(method) + ' ' + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return answer.status == 404;
}

} // namespace tocsin::ipc::http::test
