// SPDX-License-Identifier: Apache-2.0
// The configuration that is in effect. A reload reads every source again and is all or nothing: with any problem the
// old one stays, and the answer says what the first problem is. Keys that need a restart keep their values until then.
#pragma once

#include "core/error.hpp"
#include "daemon/config.hpp"
#include "daemon/config_load.hpp"

#include <string>
#include <vector>

namespace tocsin::daemon {

struct Reloaded {
    std::vector<std::string> changed{}; // in effect now: keys, and the names of arrays of tables
    std::vector<std::string> waiting{}; // changed, but need a restart
};

class LiveConfig {
public:
    LiveConfig(ConfigSources sources, Loaded loaded) : sources_(std::move(sources)), loaded_(std::move(loaded)) {}

    const Config& config() const { return loaded_.config; }
    const Loaded& loaded() const { return loaded_; }
    Result<Reloaded> reload();

private:
    ConfigSources sources_;
    Loaded loaded_;
};

} // namespace tocsin::daemon
