// SPDX-License-Identifier: Apache-2.0
// The table of every key that the configuration knows: its type, default, bounds, whether a reload applies it, what it
// is for, and the member of Config that it sets. Loading, --describe-config, reload and the man page's test walk it;
// there is no second list of keys anywhere. The arrays of tables ([[heartbeat]], …) have small tables of the same kind.
#pragma once

#include "daemon/config.hpp"
#include "daemon/config_value.hpp"

#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace tocsin::daemon {

struct KeySpec {
    std::string_view path; // "store.max_bytes"; inside an array of tables the bare key
    Shape shape{};
    std::string_view fallback{}; // the default, as it would be written
    bool reloadable = false;
    bool available = true; // false: accepted and checked, but nothing stands behind it in this version
    bool required = false; // inside an array of tables
    bool secret = false;   // who may read the configuration is not shown it
    std::string_view help{};
};

template <typename Owner>
using Member = std::variant<std::monostate, bool Owner::*, std::int64_t Owner::*, std::uint64_t Owner::*,
                            double Owner::*, std::string Owner::*, std::vector<std::string> Owner::*, Zone Owner::*,
                            Share Owner::*, Rate Owner::*, std::vector<DatasetField> Owner::*>;

template <typename Owner> struct Key {
    KeySpec spec;
    Member<Owner> member{}; // none: checked and forgotten
};

const std::vector<Key<Config>>& config_keys();
const Key<Config>* find_key(std::string_view path);

const std::vector<Key<HeartbeatEntry>>& heartbeat_keys();
const std::vector<Key<ScriptEntry>>& script_keys();
const std::vector<Key<DatasetEntry>>& dataset_keys();

// An array of tables by its name. Where `available` is false an entry is only checked and warned about.
struct ArraySpec {
    std::string_view name; // "heartbeat"
    std::string_view help;
    bool available = true;
    std::string_view plural{}; // for the warning: "rules are not available in this version"
    std::vector<KeySpec> keys{};
};
const std::vector<ArraySpec>& array_tables();
const ArraySpec* find_array(std::string_view name);

// Sets the member; the value must be of the key's type.
template <typename Owner> void assign(Owner& owner, const Member<Owner>& member, Value value) {
    std::visit(
        [&owner, &value](auto pointer) {
            if constexpr (!std::is_same_v<decltype(pointer), std::monostate>) {
                owner.*pointer = std::get<std::remove_cvref_t<decltype(owner.*pointer)>>(std::move(value));
            }
        },
        member);
}

Value value_of(const Config& config, const Key<Config>& key);
// The value as it would be written.
std::string show(const Config& config, const Key<Config>& key);

// Every key at its default.
Config default_config();

} // namespace tocsin::daemon
