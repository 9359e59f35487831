// SPDX-License-Identifier: Apache-2.0
#include "cli/help.hpp"

#include "cli/format.hpp"
#include "cli/session.hpp"
#include "cli/verbs.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tocsin::cli {
namespace {

constexpr std::size_t left_columns = 30;

std::string option_left(const Option& option) {
    std::string left = option.letter == 0 ? std::string() : fmt::format("-{}, ", option.letter);
    left += fmt::format("--{}", option.name);
    left += option.value.empty() ? "" : fmt::format(" {}", option.value);
    return left;
}

void write_pair(Output& out, std::string_view left, std::string_view right) {
    if (left.size() > left_columns) {
        out.line(fmt::format("  {}\n  {:{}}  {}", left, "", left_columns, right));
    } else {
        out.line(fmt::format("  {:{}}  {}", left, left_columns, right));
    }
}

void write_options(Output& out, std::span<const Option> options) {
    for (const Option& option : options) {
        std::string right(option.help);
        right += option.alias.empty() ? "" : fmt::format(" (also --{})", option.alias);
        right += option.repeats ? "; may be repeated" : "";
        write_pair(out, option_left(option), right);
    }
}

// As they are for this verb.
void write_common(Output& out, const Verb& verb) {
    const std::string formats = fmt::format("how it is shown: {}", format_list(verb.formats));
    for (Option option : common_options()) {
        if (option.name == "output") {
            option.help = formats;
        }
        write_options(out, std::span(&option, 1));
    }
}

std::string usage_line(const Verb& verb) {
    const bool has_options = std::ranges::any_of(verb.options, [](const auto& table) { return !table.empty(); });
    return fmt::format("tocsinctl {}{}{}{}", verb.name, has_options ? " [OPTION…]" : "",
                       verb.arguments.empty() ? "" : " ", verb.arguments);
}

bool is_below(const Verb& verb, const Verb& parent) {
    return verb.name.size() > parent.name.size() && verb.name.starts_with(parent.name) &&
           verb.name[parent.name.size()] == ' ';
}

Result<int> run_help(Session& session, const Arguments& arguments) {
    if (arguments.has("man")) {
        session.out.write(manual_page());
        return 0;
    }
    if (session.json()) {
        session.out.line(verbs_as_json());
        return 0;
    }
    if (arguments.positional.empty()) {
        write_overview(session.out);
        return 0;
    }
    std::vector<std::string_view> asked(arguments.positional.begin(), arguments.positional.end());
    asked.emplace_back("--help");
    const auto parsed = parse_words(asked, all_verbs());
    if (!parsed) {
        return std::unexpected(parsed.error());
    }
    if (parsed->verb->run == nullptr) {
        return fail(Code::unavailable, "help", "",
                    fmt::format("{} is not available in this version", parsed->verb->name));
    }
    write_help(session.out, *parsed->verb);
    return 0;
}

constexpr std::array options = std::to_array<Option>({
    {.name = "man", .help = "print the manual page, as roff"},
});

constexpr std::array verbs = std::to_array<Verb>({
    {.name = "help",
     .arguments = "[VERB [SUBVERB]]",
     .summary = "show what there is, or how a verb is used",
     .text = "With --json every verb and option there is, for programs.",
     .options = {options},
     .arguments_max = 2,
     .run = run_help,
     .paged = true,
     .words = "@verbs @verbs"},
});

} // namespace

void write_overview(Output& out) {
    out.line("usage: tocsinctl [OPTION…] [VERB [ARGUMENT…]]\n");
    out.line("Talks to the event daemon tocsind through its Unix socket. Without a verb: status.\n");
    out.line("verbs:");
    for (const Verb& verb : all_verbs()) {
        if (verb.run != nullptr && !verb.hidden) {
            write_pair(out, verb.name, verb.summary);
        }
    }
    out.line("\noptions of every verb:");
    write_options(out, common_options());
    out.line("\n\"tocsinctl VERB --help\" says more; so does man tocsinctl.");
}

void write_help(Output& out, const Verb& verb) {
    out.line(fmt::format("usage: {}\n", usage_line(verb)));
    out.line(fmt::format("{}{}.", static_cast<char>(verb.summary.front() - 'a' + 'A'), verb.summary.substr(1)));
    if (!verb.text.empty()) {
        out.line(fmt::format("\n{}", verb.text));
    }
    bool titled = false;
    for (const Verb& other : all_verbs()) {
        if (is_below(other, verb)) {
            out.write(titled ? "" : "\nsubverbs:\n");
            titled = true;
            write_pair(out, other.name, other.summary);
        }
    }
    if (std::ranges::any_of(verb.options, [](const auto& table) { return !table.empty(); })) {
        out.line("\noptions:");
        for (const auto& table : verb.options) {
            write_options(out, table);
        }
    }
    out.line("\noptions of every verb:");
    write_common(out, verb);
    if (!verb.examples.empty()) {
        out.line("\nexamples:");
        for (const std::string_view example : verb.examples) {
            out.line(fmt::format("  {}", example));
        }
    }
}

std::span<const Verb> help_verbs() {
    return verbs;
}

} // namespace tocsin::cli
