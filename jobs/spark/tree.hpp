// SPDX-License-Identifier: Apache-2.0
// The script and all that it started. The helper is their subreaper: whoever loses its parent becomes a child of the
// helper. Only children that were not reaped yet are signalled, so a pid that was given to somebody else never is; the
// script itself, once ended, stays a zombie to the last, so that its process group cannot be reused either.
#pragma once

#include <optional>
#include <sys/types.h>
#include <vector>

namespace tocsin::jobs::spark {

struct Exit {
    bool signalled = false;
    int code = 0; // exit code or signal number
};

class Tree {
public:
    // The script, leader of its own session and group.
    void lead(pid_t leader) { leader_ = leader; }

    // Reaps what ended; of the script it only takes note.
    void reap();
    const std::optional<Exit>& leader_exit() const { return exit_; }
    // True where the helper has children beside the script.
    bool others() const;
    // To the script's group and to every other child of the helper.
    void signal(int number);
    // SIGKILL to all that can be reached; true when no process is left. Call again until then: the children of what was
    // killed come to the helper.
    bool destroy();

private:
    std::vector<pid_t> strays() const;
    pid_t leader_ = 0;
    std::optional<Exit> exit_{};
};

} // namespace tocsin::jobs::spark
