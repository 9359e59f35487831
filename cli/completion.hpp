// SPDX-License-Identifier: Apache-2.0
// What may stand where the cursor is, for shells: verbs, options and values from the table of verbs, names from the
// daemon. `tocsinctl __complete -- WORD…` writes a candidate a line, a tab and what it is behind it; the last WORD is
// the one that is being typed. "@files" alone asks the shell for paths.
#pragma once

#include "cli/options.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::cli {

struct Candidate {
    std::string text;
    std::string_view about = {};
};

// Names of a kind ("@sources"), from wherever they are known.
using Names = std::function<std::vector<std::string>(std::string_view kind)>;

std::vector<Candidate> complete_words(std::span<const std::string_view> words, std::span<const Verb> verbs,
                                      const Names& names);

// The scripts under completions/.
extern const std::string_view bash_script;
extern const std::string_view zsh_script;
extern const std::string_view fish_script;

} // namespace tocsin::cli
