// SPDX-License-Identifier: Apache-2.0
#include "daemon/config_apply.hpp"

#include "core/heartbeat.hpp"
#include "core/nearest.hpp"
#include "daemon/config_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace tocsin::daemon {

namespace {

constexpr std::size_t problems_max = 1'000; // more are not worth reading

void add_problem(Loaded& loaded, Place place, std::string key, std::string reason) {
    if (loaded.problems.size() < problems_max) {
        loaded.problems.push_back(
            Problem{.place = std::move(place), .key = std::move(key), .reason = std::move(reason)});
    }
}

std::string_view last_part(std::string_view key) {
    const std::size_t dot = key.rfind('.');
    return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

// Names the nearest known key; a right name in the wrong section is near, too.
std::string unknown_key(std::string_view key, std::span<const std::string_view> candidates) {
    std::string_view meant = nearest(key, candidates);
    if (meant.empty()) {
        const auto found = std::ranges::find(candidates, last_part(key), last_part);
        meant = found == candidates.end() ? std::string_view() : *found;
    }
    if (meant.empty()) {
        return "unknown key; tocsin.toml(5) lists every key";
    }
    return fmt::format("unknown key; did you mean {}?", meant);
}

std::string unknown_top_key(std::string_view key) {
    std::vector<std::string_view> candidates;
    for (const Key<Config>& known : config_keys()) {
        candidates.push_back(known.spec.path);
    }
    for (const ArraySpec& table : array_tables()) {
        candidates.push_back(table.name);
    }
    return unknown_key(key, candidates);
}

bool is_section(std::string_view path) {
    return std::ranges::any_of(config_keys(), [path](const Key<Config>& key) {
        return key.spec.path.size() > path.size() && key.spec.path.starts_with(path) &&
               key.spec.path[path.size()] == '.';
    });
}

bool is_array_of_tables(const RawValue& value) {
    const RawArray* items = std::get_if<RawArray>(&value.value);
    return items != nullptr && !items->empty() && std::holds_alternative<RawTable>(items->front().value);
}

// One entry of an array of tables: what it says, where, and how its problems are named.
struct EntrySource {
    Loaded& loaded;
    const std::string& file;
    const ArraySpec& array;
    const RawTable& members;
    Place place;
    std::string path; // "heartbeat[0]"
};

Place place_of(const EntrySource& source, const RawMember& member) {
    return Place{.source = source.file, .line = member.line, .column = member.column};
}

// The converted value, or nullopt after the problem was told.
std::optional<Value> convert_member(const EntrySource& source, const KeySpec& spec, const RawMember& member) {
    auto value = convert(spec.shape, member.value);
    if (value) {
        return std::move(*value);
    }
    add_problem(source.loaded, place_of(source, member), fmt::format("{}.{}", source.path, member.key),
                std::move(value.error()));
    return std::nullopt;
}

// Unknown and missing keys; the number of problems found.
void check_members(const EntrySource& source) {
    std::vector<std::string_view> known;
    for (const KeySpec& spec : source.array.keys) {
        known.push_back(spec.path);
        const bool given = std::ranges::find(source.members, spec.path, &RawMember::key) != source.members.end();
        if (spec.required && !given) {
            add_problem(source.loaded, source.place, fmt::format("{}.{}", source.path, spec.path),
                        fmt::format("is missing; every [[{}]] needs it", source.array.name));
        }
    }
    for (const RawMember& member : source.members) {
        if (std::ranges::find(known, member.key) == known.end()) {
            add_problem(source.loaded, place_of(source, member), fmt::format("{}.{}", source.path, member.key),
                        unknown_key(member.key, known));
        }
    }
}

// Fills the entry from the members that its table knows.
template <typename Entry> Entry read_entry(const EntrySource& source, const std::vector<Key<Entry>>& keys) {
    Entry entry;
    entry.place = source.place;
    for (const RawMember& member : source.members) {
        const auto key = std::ranges::find(keys, member.key, [](const Key<Entry>& one) { return one.spec.path; });
        if (key == keys.end()) {
            continue;
        }
        if (auto value = convert_member(source, key->spec, member)) {
            assign(entry, key->member, std::move(*value));
        }
        if (!key->spec.available) {
            source.loaded.warnings.push_back(Warning{.place = place_of(source, member),
                                                     .key = fmt::format("{}.{}", source.path, member.key),
                                                     .reason = "is not available in this version and has no effect"});
        }
    }
    return entry;
}

// A problem of one member of the entry, where it stands.
void refuse_member(const EntrySource& source, std::string_view key, std::string reason) {
    const auto member = std::ranges::find(source.members, key, &RawMember::key);
    Place place = member == source.members.end() ? source.place : place_of(source, *member);
    add_problem(source.loaded, std::move(place), fmt::format("{}.{}", source.path, key), std::move(reason));
}

// What contradicts itself, although each key is right.
void check_entry(const EntrySource& source, const HeartbeatEntry& entry) {
    if (entry.schedule.empty()) {
        if (!entry.zone.empty()) {
            refuse_member(source, "zone", "is of a schedule, and none is given");
        }
        if (entry.early_us >= 0) {
            refuse_member(source, "early", "is of a schedule, and none is given");
        }
        return;
    }
    if (entry.interval_us > 0) {
        refuse_member(source, "schedule", "cannot be given with an interval: a watch waits by one or the other");
    }
    if (const auto schedule = Schedule::parse(entry.schedule, entry.zone); !schedule) {
        refuse_member(source, schedule_option(schedule.error()), schedule.error().detail());
    }
}
void check_entry(const EntrySource& /*source*/, const ScriptEntry& /*entry*/) {}
void check_entry(const EntrySource& /*source*/, const DatasetEntry& /*entry*/) {}

std::string identity(const HeartbeatEntry& entry) {
    return fmt::format("{}/{}", entry.source, entry.scid);
}
std::string identity(const ScriptEntry& entry) {
    return entry.name;
}
std::string identity(const DatasetEntry& entry) {
    return entry.id;
}

// A later file replaces the entry of an earlier one; twice in one file is a mistake.
template <typename Entry>
void keep_entry(const EntrySource& source, std::map<std::string, std::size_t>& index, std::vector<Entry>& entries,
                Entry entry) {
    const std::string name = identity(entry);
    const auto [found, added] = index.try_emplace(name, entries.size());
    if (added) {
        entries.push_back(std::move(entry));
        return;
    }
    Entry& earlier = entries[found->second];
    if (earlier.place.source == entry.place.source) {
        add_problem(source.loaded, entry.place, source.path,
                    fmt::format("\"{}\" is given twice, first in line {}", name, earlier.place.line));
    }
    earlier = std::move(entry);
}

template <typename Entry>
void read_entries(std::span<const EntrySource> sources, const std::vector<Key<Entry>>& keys,
                  std::vector<Entry>& entries) {
    std::map<std::string, std::size_t> index;
    for (const Entry& entry : entries) {
        index.emplace(identity(entry), index.size());
    }
    for (const EntrySource& source : sources) {
        Entry entry = read_entry(source, keys);
        check_entry(source, entry);
        keep_entry(source, index, entries, std::move(entry));
    }
}

std::string name_of(const EntrySource& source) {
    for (const std::string_view key : {"name", "event_name", "api"}) {
        for (const RawMember& member : source.members) {
            const std::string* text = std::get_if<std::string>(&member.value.value);
            if (member.key == key && text != nullptr) {
                return *text;
            }
        }
    }
    return source.path;
}

// Known keys, right types, no effect.
void check_entries(std::span<const EntrySource> sources) {
    for (const EntrySource& source : sources) {
        for (const RawMember& member : source.members) {
            const auto spec = std::ranges::find(source.array.keys, member.key, &KeySpec::path);
            if (spec != source.array.keys.end()) {
                convert_member(source, *spec, member);
            }
        }
        source.loaded.warnings.push_back(
            Warning{.place = source.place,
                    .key = source.path,
                    .reason = fmt::format("{} are not available in this version; [[{}]] {} is not in effect",
                                          source.array.plural, source.array.name, name_of(source))});
    }
}

void apply_array(Loaded& loaded, const std::string& file, const ArraySpec& array, const RawMember& member) {
    const RawArray* items = std::get_if<RawArray>(&member.value.value);
    if (items == nullptr) {
        add_problem(
            loaded, Place{.source = file, .line = member.line, .column = member.column}, member.key,
            fmt::format("is {}; write [[{}]], with two brackets, once for each", kind_of(member.value), array.name));
        return;
    }
    std::vector<EntrySource> sources;
    for (std::size_t i = 0; i < items->size(); ++i) {
        const RawValue& item = (*items)[i];
        const Place place{.source = file, .line = item.line, .column = item.column};
        const std::string path = fmt::format("{}[{}]", array.name, i);
        if (const RawTable* members = std::get_if<RawTable>(&item.value)) {
            sources.push_back(EntrySource{loaded, file, array, *members, place, path});
            check_members(sources.back());
        } else {
            add_problem(loaded, place, path, fmt::format("is {}; expected a table", kind_of(item)));
        }
    }
    if (array.name == "heartbeat") {
        read_entries<HeartbeatEntry>(sources, heartbeat_keys(), loaded.config.heartbeats);
    } else if (array.name == "script") {
        read_entries<ScriptEntry>(sources, script_keys(), loaded.config.scripts);
    } else if (array.name == "dataset") {
        read_entries<DatasetEntry>(sources, dataset_keys(), loaded.config.datasets);
    } else {
        check_entries(sources);
    }
}

void set_key(Loaded& loaded, const Key<Config>& key, const RawValue& raw, Place place) {
    auto value = convert(key.spec.shape, raw);
    if (!value) {
        add_problem(loaded, std::move(place), std::string(key.spec.path), std::move(value.error()));
        return;
    }
    assign(loaded.config, key.member, std::move(*value));
    loaded.places.insert_or_assign(std::string(key.spec.path), std::move(place));
}

void apply_table(Loaded& loaded, const std::string& file, const RawTable& table, const std::string& prefix) {
    for (const RawMember& member : table) {
        const std::string path = prefix.empty() ? member.key : fmt::format("{}.{}", prefix, member.key);
        const Place place{.source = file, .line = member.line, .column = member.column};
        const RawTable* inner = std::get_if<RawTable>(&member.value.value);
        const ArraySpec* array = prefix.empty() ? find_array(path) : nullptr;
        if (const Key<Config>* key = find_key(path)) {
            set_key(loaded, *key, member.value, place);
        } else if (array != nullptr) {
            apply_array(loaded, file, *array, member);
        } else if (inner != nullptr && (is_section(path) || !inner->empty())) {
            apply_table(loaded, file, *inner, path);
        } else if (is_section(path) && inner == nullptr) {
            const std::string_view found =
                is_array_of_tables(member.value) ? "is written [[…]]" : kind_of(member.value);
            add_problem(loaded, place, path,
                        fmt::format("is a section, not {}; write [{}] and its keys below", found, path));
        } else {
            add_problem(loaded, place, path, unknown_top_key(path));
        }
    }
}

void warn_unavailable(Loaded& loaded, const Config& defaults, const Key<Config>& key) {
    const auto place = loaded.places.find(key.spec.path);
    if (key.spec.available || place == loaded.places.end() || show(loaded.config, key) == show(defaults, key)) {
        return;
    }
    loaded.warnings.push_back(Warning{.place = place->second,
                                      .key = std::string(key.spec.path),
                                      .reason = "is not available in this version and has no effect"});
}

} // namespace

void apply_document(Loaded& loaded, const RawDocument& document) {
    const auto problems = static_cast<std::ptrdiff_t>(loaded.problems.size());
    const auto warnings = static_cast<std::ptrdiff_t>(loaded.warnings.size());
    apply_table(loaded, document.source, document.root, "");
    // In the order of the file, although the keys of one section may stand apart in it.
    const auto line = [](const auto& finding) {
        return std::tuple(finding.place.line, finding.place.column, std::string_view(finding.key));
    };
    std::ranges::sort(loaded.problems.begin() + problems, loaded.problems.end(), {}, line);
    std::ranges::sort(loaded.warnings.begin() + warnings, loaded.warnings.end(), {}, line);
}

void apply_text(Loaded& loaded, std::string_view key, std::string_view text, const Place& place) {
    if (const Key<Config>* known = find_key(key)) {
        set_key(loaded, *known, RawValue{.value = std::string(text), .loose = true}, place);
    } else if (find_array(key) != nullptr) {
        add_problem(loaded, place, std::string(key), fmt::format("cannot be set here; write [[{}]] in a file", key));
    } else if (is_section(key)) {
        add_problem(loaded, place, std::string(key), "is a section; name one of its keys");
    } else {
        add_problem(loaded, place, std::string(key), unknown_top_key(key));
    }
}

void add_warnings(Loaded& loaded) {
    const Config defaults = default_config();
    for (const Key<Config>& key : config_keys()) {
        warn_unavailable(loaded, defaults, key);
    }
}

} // namespace tocsin::daemon
