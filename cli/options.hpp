// SPDX-License-Identifier: Apache-2.0
// The declarative side of the command line: a verb is a row with its options, arguments and help; one parser reads the
// words of any of them. `--name VALUE`, `--name=VALUE`, `-n VALUE`, `-nVALUE`; `_` in a name is taken as `-`; `--` ends
// options. Help, the man page and completion come from the same rows. Errors are invalid_argument with a suggestion.
#pragma once

#include "core/error.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::cli {

struct Session;
class Arguments;

struct Option {
    std::string_view name;       // without dashes
    std::string_view value = {}; // what its value is called; empty: a switch
    std::string_view help = {};
    char letter = 0;
    std::string_view alias = {}; // a second name
    bool repeats = false;
    // For completion, with spaces between: the values there are, or one "@…" for names that the daemon or the disk
    // knows (cli/completion.hpp).
    std::string_view words = {};
};

// Exit code, or the error that becomes one.
using Handler = Result<int> (*)(Session& session, const Arguments& arguments);

struct Verb {
    std::string_view name;           // "heartbeats beat"
    std::string_view arguments = {}; // "SOURCE"
    std::string_view summary = {};   // one line
    std::string_view text = {};      // more of it, in paragraphs
    std::array<std::span<const Option>, 2> options{};
    unsigned arguments_min = 0;
    unsigned arguments_max = 0;
    std::span<const std::string_view> examples = {};
    Handler run = nullptr;
    std::string_view formats = "table json"; // what -o takes; table comes without asking
    bool paged = false;                      // on a terminal its text goes through a pager
    std::string_view words = {};             // of its arguments, as Option::words; one "@…" an argument
    std::string_view alias = {};             // a second name of a verb without subverb
    bool hidden = false;                     // for shells, not for people
};

// Options that every verb has.
std::span<const Option> common_options();

class Arguments {
public:
    bool has(std::string_view name) const;
    // The last one given.
    std::optional<std::string_view> value(std::string_view name) const;
    std::string_view value_or(std::string_view name, std::string_view otherwise) const;
    std::span<const std::string> values(std::string_view name) const;
    // nullopt when not given; invalid_argument when it is no integer in the bounds.
    Result<std::optional<std::int64_t>> integer(std::string_view name, std::int64_t least, std::int64_t most) const;

    const Verb* verb = nullptr;
    std::vector<std::string> positional{};

private:
    friend class WordReader;
    std::map<std::string, std::vector<std::string>, std::less<>> options_{};
};

// Finds the verb (the longest name that fits) and reads the rest. Common options may stand before the verb; "list"
// behind one that has subverbs is the verb itself; without any it is "status". The context of an error is the name of
// the verb, as far as it was read.
Result<Arguments> parse_words(std::span<const std::string_view> words, std::span<const Verb> verbs);

// invalid_argument in the words of a command line.
std::unexpected<Error> usage(std::string object, std::string reason);
// Of a text with spaces between words.
std::vector<std::string_view> split_words(std::string_view text);
// The whole text as an integer, nullopt when it is none.
std::optional<std::int64_t> to_integer(std::string_view text);

} // namespace tocsin::cli
