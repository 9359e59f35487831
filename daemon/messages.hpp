// SPDX-License-Identifier: Apache-2.0
// What an operator may look for by number: MESSAGE_ID= in the journal (journalctl MESSAGE_ID=…), which `journalctl -x`
// explains by systemd/tocsin.catalog. A number is never used for anything else, also when its text changes.
#pragma once

#include <string_view>

namespace tocsin::daemon::messages {

enum class Weight { info, warning, error };

struct Message {
    std::string_view id;
    Weight weight = Weight::info;
};

inline constexpr Message ready{.id = "0e7da2fd4e1a41a59024b58ca83a16ce"};
inline constexpr Message stopping{.id = "2062e208d10d480bb913f404e4d54eb3"};
inline constexpr Message degraded{.id = "4186f0f2c3344e9abd055ece83e0b6ea", .weight = Weight::error};
inline constexpr Message whole{.id = "4dfe368e009b492da4d484c09534d7b0"};
inline constexpr Message reloaded{.id = "ec3f3acf6c7b47ab8dc891571c00e24a"};
inline constexpr Message reload_refused{.id = "5681c14f7df44f6b98d47fedaac4a995", .weight = Weight::error};
inline constexpr Message bus_lost{.id = "0e3a4dfcffce4b6d9c149d6b3cb9cfd3", .weight = Weight::error};
inline constexpr Message hangs{.id = "18a4137f8643498192d85d8a242cc6e5", .weight = Weight::error};
inline constexpr Message store_upgraded{.id = "4a99f77128444c05bf56f5cbc13435db"};
inline constexpr Message backup_made{.id = "bda3a1fc1da4477fbb1deaad95cb99c9"};
inline constexpr Message backup_failed{.id = "20e1a56b063d4c8195a41960157626fa", .weight = Weight::warning};

} // namespace tocsin::daemon::messages
