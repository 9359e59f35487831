// SPDX-License-Identifier: Apache-2.0
// A pager between us and the terminal, chosen as systemctl does: TOCSIN_PAGER, SYSTEMD_PAGER or PAGER, else less, else
// more. It is started with the first text, and waited for. What it has not shown yet waits in a pipe: nothing grows.
#pragma once

#include "cli/output.hpp"
#include "core/fd.hpp"

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tocsin::cli {

struct PagerWishes {
    std::optional<std::string> command{}; // of the first variable that is set; empty or "cat": none
    std::string less = "FRSXMK";          // TOCSIN_LESS, SYSTEMD_LESS
    bool secure = false;                  // with another's rights (sudo, pkexec): no shell, no editor, no other file
};
PagerWishes pager_wishes();

// To be tried one after the other; none: text goes to the terminal itself.
std::vector<std::vector<std::string>> pagers(const PagerWishes& wishes);

class PagedOutput final : public Output {
public:
    // Looks like `beneath`, where text goes when no pager can be started. As wide, too: less waits where it had to cut.
    PagedOutput(Output& beneath, const PagerWishes& wishes);
    ~PagedOutput() override;
    PagedOutput(const PagedOutput&) = delete;
    PagedOutput& operator=(const PagedOutput&) = delete;

    void flush() override;

private:
    void start();
    Output& beneath_;
    PagerWishes wishes_;
    bool started_ = false;
    Fd pipe_{};
    pid_t pid_ = -1;
};

} // namespace tocsin::cli
