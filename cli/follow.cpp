// SPDX-License-Identifier: Apache-2.0
// follow: events as they come, through restarts of the daemon, without a gap.
#include "cli/event_view.hpp"
#include "cli/filters.hpp"
#include "cli/follower.hpp"
#include "cli/session.hpp"
#include "cli/verbs.hpp"

#include <fmt/format.h>

#include <limits>

namespace tocsin::cli {
namespace {

constexpr std::int64_t index_most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t count_most = 1'000'000'000;

constexpr std::array own_options = std::to_array<Option>({
    {.name = "after", .value = "INDEX", .help = "begin behind this index instead of now (0: from the first)"},
    {.name = "limit", .value = "N", .help = "end after so many events", .letter = 'n'},
});

// Now, told as an index, so that nothing is missed when the daemon restarts before the first event.
Result<std::uint64_t> last_index(Session& session) {
    const auto status = value_of(get(session, "/v1/status"));
    if (!status) {
        return std::unexpected(status.error());
    }
    return (*status)["last_index"].number();
}

Result<int> run_follow(Session& session, const Arguments& arguments) {
    if (session.format == Format::csv) {
        return usage("--output", "\"csv\" is not for events that come; -o ndjson is");
    }
    const auto after = arguments.integer("after", 0, index_most);
    const auto limit = arguments.integer("limit", 1, count_most);
    if (!after || !limit) {
        return std::unexpected(!after ? after.error() : limit.error());
    }
    FollowRequest request{.parameters = filter_parameters(arguments, session.now_us)};
    request.limit = static_cast<std::uint64_t>(limit->value_or(0));
    if (*after) {
        request.after = static_cast<std::uint64_t>(**after);
    } else {
        const auto last = last_index(session);
        if (!last) {
            return std::unexpected(last.error());
        }
        request.after = *last;
    }
    Interrupts interrupts;
    return Follower(session, interrupts, std::move(request)).run();
}

constexpr std::array<std::string_view, 3> examples{
    "tocsinctl follow --min-severity warning",
    "tocsinctl follow --src sshd -o ndjson | my-program",
    "tocsinctl follow --after 4711 --name 'heartbeat.*'",
};

constexpr std::array table = std::to_array<Verb>({
    {.name = "follow",
     .summary = "show events as they come",
     .text =
         "Filters are those of query. When the daemon restarts or the connection breaks it connects again and goes on "
         "behind\n"
         "the last event, so that none is missed or shown twice; this is told on standard error. Events that expired\n"
         "before they could be shown are told as a gap. Ends with Ctrl-C.",
     .options = {filter_options, own_options},
     .examples = examples,
     .run = run_follow,
     .formats = "table short json ndjson"},
});

} // namespace

Result<int> follow_events(Session& session, const Arguments& arguments) {
    for (const std::string_view name : {"all", "oldest", "order", "cursor"}) {
        if (arguments.has(name)) {
            return usage(fmt::format("--{}", name), "and --follow exclude each other");
        }
    }
    return run_follow(session, arguments);
}

std::span<const Verb> follow_verbs() {
    return table;
}

} // namespace tocsin::cli
