// SPDX-License-Identifier: Apache-2.0
// completion: the scripts for shells; __complete: what they ask.
#include "cli/completion.hpp"

#include "cli/session.hpp"
#include "cli/text.hpp"
#include "cli/verbs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace tocsin::cli {
namespace {

constexpr std::size_t names_most = 1'000;
constexpr std::chrono::milliseconds deadline{500}; // of all questions together

struct Place {
    std::string_view kind;
    std::string_view target;
    std::string_view key;
};
constexpr std::array<Place, 10> places{{
    {"@sources", "/v1/heartbeats?limit=1000", "source"},
    {"@jobs", "/v1/jobs?limit=100", "id"},
    {"@scripts", "/v1/scripts", "script"},
    {"@events", "/v1/events?limit=20", "unique_index"},
    {"@names", "/v1/statistics/totals?group_by=event_name", "event_name"},
    {"@srcs", "/v1/statistics/totals?group_by=event_src", "event_src"},
    {"@environments", "/v1/statistics/totals?group_by=environment", "environment"},
    {"@datasets", "/v1/statistics/totals?group_by=event_id", "event_id"},
    {"@hosts", "/v1/statistics/totals?group_by=host", "host"},
    {"@keys", "/v1/config", "key"},
}};

std::vector<std::string> verb_names() {
    std::vector<std::string> out;
    for (const Verb& verb : all_verbs()) {
        if (verb.run != nullptr && !verb.hidden && verb.name.find(' ') == std::string_view::npos) {
            out.emplace_back(verb.name);
        }
    }
    return out;
}

// What a shell would be confused by is no name that anybody completes.
bool is_plain(const std::string& name) {
    return !name.empty() && printable(name) == name;
}

std::vector<std::string> ask(Session& session, std::string_view kind) {
    if (kind == "@verbs") {
        return verb_names();
    }
    const auto* const place = std::ranges::find(places, kind, &Place::kind);
    if (place == places.end()) {
        return {};
    }
    const auto list = value_of(session.client.send(
        {.target = std::string(place->target), .accept = "application/json", .deadline = deadline}));
    std::vector<std::string> names;
    if (list) {
        for (const Value& item : (*list)["items"].items()) {
            std::string name = item[place->key].text();
            if (names.size() < names_most && is_plain(name)) {
                names.push_back(std::move(name));
            }
        }
    }
    return names;
}

// Nothing that goes wrong is told: a person is typing.
Result<int> run_complete(Session& session, const Arguments& arguments) {
    const std::vector<std::string_view> words(arguments.positional.begin(), arguments.positional.end());
    const auto names = [&session](std::string_view kind) { return ask(session, kind); };
    for (const Candidate& candidate : complete_words(words, all_verbs(), names)) {
        session.out.write(candidate.text);
        session.out.line(candidate.about.empty() ? std::string() : fmt::format("\t{}", candidate.about));
    }
    return 0;
}

Result<int> run_completion(Session& session, const Arguments& arguments) {
    const std::string& shell = arguments.positional.front();
    if (shell == "bash") {
        session.out.write(bash_script);
    } else if (shell == "zsh") {
        session.out.write(zsh_script);
    } else if (shell == "fish") {
        session.out.write(fish_script);
    } else {
        return usage("SHELL", fmt::format("\"{}\" is not bash, zsh or fish", shell.substr(0, 64)));
    }
    return 0;
}

constexpr std::array<std::string_view, 2> examples{
    "source <(tocsinctl completion bash)",
    "tocsinctl completion fish > ~/.config/fish/completions/tocsinctl.fish",
};

constexpr std::array verbs = std::to_array<Verb>({
    {.name = "completion",
     .arguments = "SHELL",
     .summary = "print the completion script for bash, zsh or fish",
     .text = "A package installs them; this is for where none did. They complete names that the daemon knows: of "
             "events,\nsources, jobs and scripts.",
     .arguments_min = 1,
     .arguments_max = 1,
     .examples = examples,
     .run = run_completion,
     .formats = "table",
     .words = "bash zsh fish"},
    {.name = "__complete",
     .arguments = "-- WORD…",
     .summary = "answer a shell",
     .arguments_max = std::numeric_limits<unsigned>::max(),
     .run = run_complete,
     .formats = "table",
     .hidden = true},
});

} // namespace

std::span<const Verb> completion_verbs() {
    return verbs;
}

} // namespace tocsin::cli
