// SPDX-License-Identifier: Apache-2.0
// The table of verbs for programs.
#include "cli/help.hpp"
#include "cli/verbs.hpp"
#include "core/json.hpp"

namespace tocsin::cli {
namespace {

void append_option(std::string& out, const Option& option) {
    out += out.back() == '[' ? "" : ",";
    json::ObjectWriter writer(out);
    writer.add("name", option.name);
    if (option.letter != 0) {
        writer.add("letter", std::string_view(&option.letter, 1));
    }
    if (!option.alias.empty()) {
        writer.add("alias", option.alias);
    }
    if (!option.value.empty()) {
        writer.add("value", option.value);
    }
    writer.add("help", option.help);
    writer.add("repeats", option.repeats);
    writer.close();
}

std::string options_of(const Verb& verb) {
    std::string out = "[";
    for (const auto& options : verb.options) {
        for (const Option& option : options) {
            append_option(out, option);
        }
    }
    return out + "]";
}

std::string formats_of(const Verb& verb) {
    std::string out = "[";
    for (const std::string_view format : split_words(verb.formats)) {
        out += out.size() > 1 ? "," : "";
        json::append_string(out, format);
    }
    return out + "]";
}

void append_verb(std::string& out, const Verb& verb) {
    const std::string formats = formats_of(verb);
    const std::string options = options_of(verb);
    out += out.back() == '[' ? "" : ",";
    json::ObjectWriter writer(out);
    writer.add("name", verb.name);
    writer.add("arguments", verb.arguments);
    writer.add("summary", verb.summary);
    writer.add("formats", RawJson{formats});
    writer.add("options", RawJson{options});
    writer.close();
}

} // namespace

std::string verbs_as_json() {
    std::string out = "{\"verbs\":[";
    for (const Verb& verb : all_verbs()) {
        if (verb.run != nullptr && !verb.hidden) {
            append_verb(out, verb);
        }
    }
    out += "],\"options\":[";
    for (const Option& option : common_options()) {
        append_option(out, option);
    }
    return out + "]}";
}

} // namespace tocsin::cli
