// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.hpp"

#include <algorithm>

namespace tocsin::cli {
namespace {

// Reads what stands before the cursor as the parser does, but forgives everything.
class Completer {
public:
    Completer(std::span<const Verb> verbs, const Names& names) : verbs_(verbs), names_(names) {}

    std::vector<Candidate> complete(std::span<const std::string_view> before, std::string_view current) {
        for (const std::string_view word : before) {
            take(word);
        }
        if (awaits_ != nullptr) {
            offer_values(awaits_->words, current, {});
        } else if (!plain_only_ && current.starts_with("--") && current.find('=') != std::string_view::npos) {
            offer_attached(current);
        } else if (!plain_only_ && current.starts_with('-')) {
            offer_options(current);
        } else {
            offer_plain(current);
        }
        return std::move(found_);
    }

private:
    void take(std::string_view word) {
        if (awaits_ != nullptr) {
            awaits_ = nullptr;
        } else if (!plain_only_ && word == "--") {
            plain_only_ = true;
        } else if (!plain_only_ && word.size() > 1 && word.front() == '-') {
            const Option* const option = word.starts_with("--") ? named(word.substr(2)) : lettered(word);
            awaits_ = option != nullptr && !option->value.empty() ? option : nullptr;
        } else if (!take_verb(word)) {
            ++arguments_;
        }
    }

    bool take_verb(std::string_view word) {
        const std::string name =
            verb_ == nullptr ? std::string(word) : std::string(verb_->name) + ' ' + std::string(word);
        const auto found =
            std::ranges::find_if(verbs_, [&name](const Verb& verb) { return verb.name == name || verb.alias == name; });
        if (found == verbs_.end() || arguments_ > 0) {
            return false;
        }
        verb_ = &*found;
        return true;
    }

    template <typename Use> void each_option(const Use& use) const {
        if (verb_ != nullptr) {
            for (const auto& table : verb_->options) {
                std::ranges::for_each(table, use);
            }
        }
        std::ranges::for_each(common_options(), use);
    }

    const Option* named(std::string_view name) const {
        const Option* found = nullptr;
        each_option([&found, name](const Option& option) {
            const bool is = option.name == name || (!option.alias.empty() && option.alias == name);
            found = found == nullptr && is ? &option : found;
        });
        return found;
    }

    // The last letter of "-an", when its value comes with the next word.
    const Option* lettered(std::string_view word) const {
        const Option* found = nullptr;
        each_option([&found, word](const Option& option) {
            found = found == nullptr && option.letter != 0 && option.letter == word.back() ? &option : found;
        });
        return found;
    }

    void offer(std::string text, std::string_view about, std::string_view current) {
        if (text.starts_with(current)) {
            found_.push_back({std::move(text), about});
        }
    }

    void offer_values(std::string_view words, std::string_view current, std::string_view prefix) {
        if (words == "@files") {
            found_.push_back({"@files"});
            return;
        }
        if (words.starts_with('@')) {
            for (const std::string& name : names_(words)) {
                offer(std::string(prefix) + name, {}, current);
            }
            return;
        }
        for (const std::string_view word : split_words(words)) {
            offer(std::string(prefix) + std::string(word), {}, current);
        }
    }

    void offer_attached(std::string_view current) {
        const std::size_t equals = current.find('=');
        const Option* const option = named(current.substr(2, equals - 2));
        if (option != nullptr && option->words != "@files") {
            offer_values(option->words, current, current.substr(0, equals + 1));
        }
    }

    void offer_options(std::string_view current) {
        each_option(
            [this, current](const Option& option) { offer("--" + std::string(option.name), option.help, current); });
    }

    void offer_plain(std::string_view current) {
        if (arguments_ == 0 && !plain_only_) {
            offer_verbs(current);
        }
        if (verb_ == nullptr) {
            return;
        }
        const std::vector<std::string_view> kinds = split_words(verb_->words);
        if (!kinds.empty()) {
            offer_values(kinds[std::min(arguments_, kinds.size() - 1)], current, {});
        }
    }

    void offer_verbs(std::string_view current) {
        const std::string before = verb_ == nullptr ? std::string() : std::string(verb_->name) + ' ';
        for (const Verb& verb : verbs_) {
            if (verb.run == nullptr || verb.hidden || !verb.name.starts_with(before)) {
                continue;
            }
            const std::string_view rest = verb.name.substr(before.size());
            if (rest.find(' ') == std::string_view::npos) {
                offer(std::string(rest), verb.summary, current);
            }
        }
    }

    std::span<const Verb> verbs_;
    const Names& names_;
    const Verb* verb_ = nullptr;
    const Option* awaits_ = nullptr;
    std::size_t arguments_ = 0;
    bool plain_only_ = false;
    std::vector<Candidate> found_{};
};

} // namespace

std::vector<Candidate> complete_words(std::span<const std::string_view> words, std::span<const Verb> verbs,
                                      const Names& names) {
    if (words.empty()) {
        return Completer(verbs, names).complete({}, {});
    }
    return Completer(verbs, names).complete(words.first(words.size() - 1), words.back());
}

} // namespace tocsin::cli
