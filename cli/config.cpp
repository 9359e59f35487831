// SPDX-License-Identifier: Apache-2.0
// config: the values that the running daemon has, and where each comes from.
#include "cli/rows.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"

#include <algorithm>

namespace tocsin::cli {
namespace {

constexpr std::array<std::string_view, 4> keys{"key", "value", "origin", "effect"};

constexpr std::array options = std::to_array<Option>({
    {.name = "origin", .help = "where each comes from: file and line, environment, command line or default"},
    {.name = "set", .help = "only what is not as it would be by itself", .letter = 's'},
});

// "store" is store.max_bytes, too.
bool is_asked(const Value& item, const Arguments& arguments) {
    const std::string key = item["key"].text();
    const auto fits = [&key](const std::string& asked) { return key == asked || key.starts_with(asked + '.'); };
    const bool named = arguments.positional.empty() || std::ranges::any_of(arguments.positional, fits);
    return named && !(arguments.has("set") && item["origin"].text() == "default");
}

std::vector<Value> asked_of(const Value& answered, const Arguments& arguments) {
    std::vector<Value> out;
    for (const Value& item : answered["items"].items()) {
        if (is_asked(item, arguments)) {
            out.push_back(item);
        }
    }
    return out;
}

void write_table(Session& session, std::span<const Value> items, bool origin) {
    const bool effects = std::ranges::any_of(items, [](const Value& item) { return !item["effect"].is_null(); });
    std::vector<Column> columns{{.title = "KEY"}, {.title = "VALUE"}};
    if (origin) {
        columns.push_back({.title = "ORIGIN"});
    }
    if (effects) {
        columns.push_back({.title = "IN EFFECT"});
    }
    Table table(std::move(columns));
    for (const Value& item : items) {
        const bool is_default = item["origin"].text() == "default";
        std::vector<Cell> row{item["key"].text(), Cell(item["value"].text(), is_default ? Colour::dim : Colour::plain)};
        if (origin) {
            row.emplace_back(item["origin"].text());
        }
        row.emplace_back(item["effect"].text());
        table.add(std::move(row));
    }
    table.write(session.out);
}

Result<int> run_show(Session& session, const Arguments& arguments) {
    const auto response = get(session, "/v1/config");
    const auto answered = value_of(response);
    if (!answered) {
        return std::unexpected(answered.error());
    }
    const std::vector<Value> items = asked_of(*answered, arguments);
    if (items.empty() && !arguments.positional.empty() && !arguments.has("set")) {
        return fail(Code::not_found, "config", arguments.positional.front(), "there is no such key");
    }
    if (session.json()) {
        session.out.line(Value(Value::Object{{"items", Value(Value::Array(items))}}).json());
    } else if (session.format == Format::table) {
        write_table(session, items, arguments.has("origin"));
    } else {
        RowWriter rows(session.out, session.format, keys);
        std::ranges::for_each(items, [&rows](const Value& item) { rows.add(item); });
    }
    return 0;
}

constexpr std::array<std::string_view, 3> examples{
    "tocsinctl config show --origin",
    "tocsinctl config show store --origin",
    "tocsinctl config show --set -o csv",
};

constexpr Verb verb(std::string_view name, std::string_view arguments, unsigned most) {
    return {.name = name,
            .arguments = arguments,
            .summary = "show the configuration that the daemon runs with",
            .text = "Every key, or those that are named: a KEY with all that is below it.",
            .options = {options},
            .arguments_max = most,
            .examples = examples,
            .run = run_show,
            .formats = "table json ndjson csv",
            .paged = true,
            .words = "@keys"};
}

constexpr unsigned keys_most = 1'000;
constexpr std::array verbs{verb("config", "", 0), verb("config show", "[KEY…]", keys_most)};

} // namespace

std::span<const Verb> config_verbs() {
    return verbs;
}

} // namespace tocsin::cli
