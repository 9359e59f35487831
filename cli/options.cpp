// SPDX-License-Identifier: Apache-2.0
#include "cli/options.hpp"

#include "core/nearest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace tocsin::cli {
namespace {

constexpr std::ptrdiff_t words_max = 4'096; // of one command line, up to "--"
constexpr std::size_t shown_bytes = 64;     // of a word that is wrong
constexpr std::string_view default_verb = "status";
constexpr std::string_view list_word = "list"; // "jobs list" is what "jobs" does

constexpr std::array common = std::to_array<Option>({
    {.name = "socket", .value = "PATH", .help = "the daemon's socket; also TOCSIN_SOCKET"},
    {.name = "timeout", .value = "DURATION", .help = "how long to wait for an answer (30s)"},
    {.name = "output",
     .value = "FORMAT",
     .help = "table, or as the verb has it: short, json, ndjson, csv",
     .letter = 'o',
     .words = "table short json ndjson csv"},
    {.name = "json", .help = "the same as -o json: the daemon's JSON, for programs"},
    {.name = "full", .help = "cut nothing to the width of the terminal", .letter = 'l'},
    {.name = "no-ask-password", .help = "do not ask for a password where an act takes one"},
    {.name = "no-pager", .help = "on a terminal, show long text without a pager"},
    {.name = "utc", .help = "show times in UTC instead of local time"},
    {.name = "color",
     .value = "WHEN",
     .help = "auto, always or never; NO_COLOR is honoured",
     .alias = "colour",
     .words = "auto always never"},
    {.name = "help", .help = "show this help", .letter = 'h'},
    {.name = "version", .help = "show the version", .letter = 'V'},
});

std::string dashed(std::string_view name) {
    std::string out(name);
    std::ranges::replace(out, '_', '-');
    return out;
}

std::string shown(std::string_view word) {
    return std::string(word.substr(0, shown_bytes));
}

// "beat" for "heartbeats beat" below "heartbeats".
std::string_view below(std::string_view name, std::string_view parent) {
    const bool is = name.size() > parent.size() + 1 && name.starts_with(parent) && name[parent.size()] == ' ';
    return is ? name.substr(parent.size() + 1) : std::string_view{};
}

} // namespace

std::span<const Option> common_options() {
    return common;
}

std::unexpected<Error> usage(std::string object, std::string reason) {
    return fail(Code::invalid_argument, "usage", std::move(object), std::move(reason));
}

std::vector<std::string_view> split_words(std::string_view text) {
    std::vector<std::string_view> out;
    while (true) {
        text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
        if (text.empty()) {
            return out;
        }
        out.push_back(text.substr(0, text.find(' ')));
        text.remove_prefix(out.back().size());
    }
}

std::optional<std::int64_t> to_integer(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = problem == std::errc{} && end == text.data() + text.size() && !text.empty();
    return whole ? std::optional(value) : std::nullopt;
}

// ---- what was given ----

bool Arguments::has(std::string_view name) const {
    return options_.contains(name);
}

std::optional<std::string_view> Arguments::value(std::string_view name) const {
    const auto found = options_.find(name);
    return found == options_.end() || found->second.empty() ? std::nullopt
                                                            : std::optional<std::string_view>(found->second.back());
}

std::string_view Arguments::value_or(std::string_view name, std::string_view otherwise) const {
    return value(name).value_or(otherwise);
}

std::span<const std::string> Arguments::values(std::string_view name) const {
    const auto found = options_.find(name);
    return found == options_.end() ? std::span<const std::string>{} : std::span<const std::string>(found->second);
}

Result<std::optional<std::int64_t>> Arguments::integer(std::string_view name, std::int64_t least,
                                                       std::int64_t most) const {
    const auto text = value(name);
    if (!text) {
        return std::nullopt;
    }
    const auto number = to_integer(*text);
    if (!number) {
        return usage(fmt::format("--{}", name), fmt::format("\"{}\" is not a whole number", shown(*text)));
    }
    if (*number < least || *number > most) {
        return usage(fmt::format("--{}", name), fmt::format("{} is not between {} and {}", *number, least, most));
    }
    return number;
}

// ---- reading words ----

class WordReader {
public:
    WordReader(std::span<const std::string_view> words, std::span<const Verb> verbs) : words_(words), verbs_(verbs) {}
    Result<Arguments> read();

private:
    Result<void> take_all();
    Result<void> take_option(std::string_view word);
    Result<void> take_letters(std::string_view word);
    Result<void> take_plain(std::string_view word);
    Result<void> take_value(const Option& option, std::string_view shown_as, std::optional<std::string_view> attached);
    Result<void> check_count();
    const Option* find(std::string_view name) const;
    const Option* find(char letter) const;
    std::string option_suggestion(std::string_view name) const;
    std::string verb_suggestion(std::string_view word) const;
    const Verb* verb_named(std::string_view name) const;
    bool has_subverbs(std::string_view name) const;
    // Calls `use` for each option that fits here until it says true; that option.
    template <typename Fits> const Option* search(const Fits& fits) const;

    std::span<const std::string_view> words_;
    std::span<const Verb> verbs_;
    std::size_t place_ = 0;
    Arguments arguments_{};
};

template <typename Fits> const Option* WordReader::search(const Fits& fits) const {
    std::vector<std::span<const Option>> tables;
    if (arguments_.verb != nullptr) {
        tables.assign(arguments_.verb->options.begin(), arguments_.verb->options.end());
    }
    tables.emplace_back(common);
    for (const auto& table : tables) {
        if (const auto found = std::ranges::find_if(table, fits); found != table.end()) {
            return &*found;
        }
    }
    return nullptr;
}

const Option* WordReader::find(std::string_view name) const {
    return search(
        [name](const Option& option) { return option.name == name || (!name.empty() && option.alias == name); });
}

const Option* WordReader::find(char letter) const {
    return search([letter](const Option& option) { return option.letter == letter; });
}

std::string WordReader::option_suggestion(std::string_view name) const {
    std::vector<std::string> dashed_names;
    static_cast<void>(search([&dashed_names](const Option& option) {
        for (const std::string_view candidate : {option.name, option.alias}) {
            if (!candidate.empty()) {
                dashed_names.push_back("--" + std::string(candidate));
            }
        }
        return false;
    }));
    const std::vector<std::string_view> candidates(dashed_names.begin(), dashed_names.end());
    return suggestion("--" + std::string(name), candidates);
}

const Verb* WordReader::verb_named(std::string_view name) const {
    const auto found = std::ranges::find_if(
        verbs_, [name](const Verb& verb) { return verb.name == name || (!name.empty() && verb.alias == name); });
    return found == verbs_.end() ? nullptr : &*found;
}

bool WordReader::has_subverbs(std::string_view name) const {
    return std::ranges::any_of(verbs_, [name](const Verb& verb) { return !below(verb.name, name).empty(); });
}

std::string WordReader::verb_suggestion(std::string_view word) const {
    std::vector<std::string_view> candidates;
    for (const Verb& verb : verbs_) {
        const bool top = verb.name.find(' ') == std::string_view::npos;
        const std::string_view name = arguments_.verb == nullptr ? (top ? verb.name : std::string_view{})
                                                                 : below(verb.name, arguments_.verb->name);
        if (!name.empty()) {
            candidates.push_back(name);
        }
    }
    return suggestion(word, candidates);
}

Result<void> WordReader::take_value(const Option& option, std::string_view shown_as,
                                    std::optional<std::string_view> attached) {
    std::vector<std::string>& values = arguments_.options_[std::string(option.name)];
    if (option.value.empty()) {
        if (attached) {
            return usage(std::string(shown_as), "takes no value");
        }
        return {};
    }
    if (!attached) {
        if (place_ >= words_.size()) {
            return usage(std::string(shown_as), fmt::format("needs a value: {} {}", shown_as, option.value));
        }
        attached = words_[place_++];
    }
    if (!values.empty() && !option.repeats) {
        return usage(std::string(shown_as), "is given twice");
    }
    values.emplace_back(*attached);
    return {};
}

Result<void> WordReader::take_option(std::string_view word) {
    const std::size_t equals = word.find('=');
    const std::string name = dashed(word.substr(2, equals == std::string_view::npos ? equals : equals - 2));
    const Option* option = find(name);
    if (option == nullptr) {
        return usage("--" + shown(name), "is not an option here" + option_suggestion(shown(name)));
    }
    const auto attached =
        equals == std::string_view::npos ? std::nullopt : std::optional<std::string_view>(word.substr(equals + 1));
    return take_value(*option, "--" + name, attached);
}

Result<void> WordReader::take_letters(std::string_view word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
        const std::string shown_as = {'-', word[i]};
        const Option* option = find(word[i]);
        if (option == nullptr) {
            return usage(shown(word), "is not an option here");
        }
        if (!option->value.empty()) {
            const std::string_view rest = word.substr(i + 1);
            return take_value(*option, shown_as, rest.empty() ? std::nullopt : std::optional(rest));
        }
        if (auto taken = take_value(*option, shown_as, std::nullopt); !taken) {
            return taken;
        }
    }
    return {};
}

Result<void> WordReader::take_plain(std::string_view word) {
    const Verb* const verb = arguments_.verb;
    if (verb == nullptr || (arguments_.positional.empty() && has_subverbs(verb->name))) {
        const std::string name = verb == nullptr ? std::string(word) : fmt::format("{} {}", verb->name, word);
        if (const Verb* found = verb_named(name)) {
            arguments_.verb = found;
            return {};
        }
        if (verb != nullptr && word == list_word) {
            return {};
        }
        if (verb == nullptr) {
            return usage("",
                         fmt::format("\"{}\" is not a verb of tocsinctl{}", shown(word), verb_suggestion(shown(word))));
        }
        if (verb->arguments_max == 0) {
            return usage("", fmt::format("\"{}\" is not a subverb of {}{}", shown(word), verb->name,
                                         verb_suggestion(shown(word))));
        }
    }
    if (arguments_.positional.size() >= verb->arguments_max) {
        return usage("", verb->arguments_max == 0
                             ? fmt::format("\"{}\" takes no arguments, such as \"{}\"", verb->name, shown(word))
                             : fmt::format("\"{}\" is one argument too many for \"{}\"", shown(word), verb->name));
    }
    arguments_.positional.emplace_back(word);
    return {};
}

Result<void> WordReader::check_count() {
    const Verb* const verb = arguments_.verb;
    const bool asks = arguments_.has("help") || arguments_.has("version");
    if (verb == nullptr && !asks) {
        arguments_.verb = verb_named(default_verb);
    }
    if (arguments_.verb == nullptr && !asks) {
        return usage("", "a verb is missing, such as: tocsinctl status");
    }
    if (!asks && verb != nullptr && arguments_.positional.size() < verb->arguments_min) {
        return usage(std::string(verb->name),
                     fmt::format("needs {}: tocsinctl {} {}", verb->arguments, verb->name, verb->arguments));
    }
    return {};
}

Result<void> WordReader::take_all() {
    bool plain_only = false;
    // Behind a verb that nothing stands behind yet, nothing can be wrong.
    while (place_ < words_.size() && (arguments_.verb == nullptr || arguments_.verb->run != nullptr)) {
        const std::string_view word = words_[place_++];
        Result<void> taken;
        if (!plain_only && word == "--") {
            plain_only = true;
        } else if (!plain_only && word.starts_with("--")) {
            taken = take_option(word);
        } else if (!plain_only && word.size() > 1 && word.front() == '-') {
            taken = take_letters(word);
        } else {
            taken = take_plain(word);
        }
        if (!taken) {
            return taken;
        }
    }
    return check_count();
}

Result<Arguments> WordReader::read() {
    // What stands behind "--" may be a whole command, which the system bounds.
    const auto options_end = std::ranges::find(words_, std::string_view("--"));
    if (std::distance(words_.begin(), options_end) > words_max) {
        return usage("", fmt::format("more than {} words; give many events as NDJSON on standard input", words_max));
    }
    if (auto taken = take_all(); !taken) {
        taken.error().context = arguments_.verb == nullptr ? "" : arguments_.verb->name;
        return std::unexpected(std::move(taken.error()));
    }
    return std::move(arguments_);
}

Result<Arguments> parse_words(std::span<const std::string_view> words, std::span<const Verb> verbs) {
    return WordReader(words, verbs).read();
}

} // namespace tocsin::cli
