// SPDX-License-Identifier: Apache-2.0
#include "daemon/config_describe.hpp"

#include "core/json.hpp"
#include "daemon/config_table.hpp"

#include <fmt/format.h>

namespace tocsin::daemon {

namespace {

std::string json_strings(std::span<const std::string_view> items) {
    std::string out = "[";
    for (const std::string_view item : items) {
        out += out.size() > 1 ? "," : "";
        json::append_string(out, item);
    }
    return out + "]";
}

void add_bounds(json::ObjectWriter& writer, const Shape& shape) {
    if (shape.bounds.unbounded()) {
        return;
    }
    writer.add("min", shape.bounds.min);
    writer.add("max", shape.bounds.max);
    writer.add("bounds", std::string_view(show_bounds(shape)));
}

void append_key(std::string& out, const std::string& name, const KeySpec& spec, bool available) {
    out += out.back() == '[' ? "\n" : ",\n";
    json::ObjectWriter writer(out);
    writer.add("key", std::string_view(name));
    writer.add("type", to_string(spec.shape.kind));
    if (!spec.required) {
        writer.add("default", spec.fallback);
    }
    add_bounds(writer, spec.shape);
    if (!spec.shape.choices.empty()) {
        writer.add("values", RawJson{json_strings(spec.shape.choices)});
    }
    writer.add("reloadable", spec.reloadable);
    writer.add("available", available && spec.available);
    writer.add("required", spec.required);
    writer.add("help", spec.help);
    writer.close();
}

void append_finding(std::string& out, const Place& place, std::string_view key, std::string_view reason) {
    out += out.back() == '[' ? "" : ",";
    json::ObjectWriter writer(out);
    writer.add("file", std::string_view(place.source));
    if (place.line > 0) {
        writer.add("line", std::uint64_t{place.line});
        writer.add("column", std::uint64_t{place.column});
    }
    writer.add("key", key);
    writer.add("reason", reason);
    writer.close();
}

enum class Secrets : std::uint8_t { shown, hidden };

void append_value(std::string& out, const Loaded& loaded, const Key<Config>& key, Secrets secrets) {
    std::string value = show(loaded.config, key);
    if (secrets == Secrets::hidden && key.spec.secret && value != key.spec.fallback) {
        value = "(hidden)";
    }
    out += out.back() == '[' ? "" : ",";
    json::ObjectWriter writer(out);
    writer.add("key", key.spec.path);
    writer.add("value", std::string_view(value));
    writer.add("origin", std::string_view(loaded.origin_of(key.spec.path)));
    writer.close();
}

void append_values(std::string& out, const Loaded& loaded, Secrets secrets, std::string_view list) {
    out += "\"files\":[";
    for (const std::string& file : loaded.files) {
        out += out.back() == '[' ? "" : ",";
        json::append_string(out, file);
    }
    out += fmt::format("],\"{}\":[", list);
    for (const Key<Config>& key : config_keys()) {
        append_value(out, loaded, key, secrets);
    }
    out += ']';
}

} // namespace

std::string describe_config_json() {
    std::string out = "[";
    for (const Key<Config>& key : config_keys()) {
        append_key(out, std::string(key.spec.path), key.spec, true);
    }
    for (const ArraySpec& array : array_tables()) {
        for (const KeySpec& spec : array.keys) {
            append_key(out, fmt::format("{}[].{}", array.name, spec.path), spec, array.available);
        }
    }
    return out + "\n]\n";
}

std::string check_config_json(const Loaded& loaded) {
    std::string out = fmt::format("{{\"ok\":{},", loaded.problems.empty());
    append_values(out, loaded, Secrets::shown, "values");
    out += ",\"problems\":[";
    for (const Problem& problem : loaded.problems) {
        append_finding(out, problem.place, problem.key, problem.reason);
    }
    out += "],\"warnings\":[";
    for (const Warning& warning : loaded.warnings) {
        append_finding(out, warning.place, warning.key, warning.reason);
    }
    return out + "]}\n";
}

std::string show_config_json(const Loaded& loaded) {
    std::string out = "{";
    append_values(out, loaded, Secrets::hidden, "items");
    return out + '}';
}

std::string check_config_text(const Loaded& loaded) {
    std::string out;
    for (const Problem& problem : loaded.problems) {
        out += problem.text() + "\n";
    }
    for (const Warning& warning : loaded.warnings) {
        out += fmt::format("warning: {}\n", warning.text());
    }
    if (loaded.problems.empty()) {
        return out + fmt::format("the configuration is good: {} keys set, {} files read\n", loaded.places.size(),
                                 loaded.files.size());
    }
    return out + fmt::format("the configuration has {} problem{}\n", loaded.problems.size(),
                             loaded.problems.size() == 1 ? "" : "s");
}

} // namespace tocsin::daemon
