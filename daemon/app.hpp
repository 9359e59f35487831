// SPDX-License-Identifier: Apache-2.0
// The composition root: the one place that knows every room, the order in which they start and the order in which they
// end.
#pragma once

#include "core/error.hpp"
#include "daemon/live_config.hpp"
#include "daemon/options.hpp"

#include <memory>

namespace tocsin::daemon {

class App {
public:
    App(Options options, LiveConfig config);
    ~App();
    App(const App&) = delete;
    App& operator=(const App&) = delete;

    // Everything up to READY, or why not.
    Result<void> start();
    // Until SIGTERM, SIGINT or the loss of the bus; the exit code.
    int run();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace tocsin::daemon
