// SPDX-License-Identifier: Apache-2.0
#include "jobs/priority.hpp"

#include <algorithm>
#include <cstddef>
#include <fcntl.h>
#include <sched.h>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>

namespace tocsin::jobs {

namespace {

constexpr int nice_min = 10;
constexpr std::string_view group_nice = "10"; // of nice_min

void leave_a_processor() {
    cpu_set_t set; // fails beyond 1,024 processors, where one more or less says nothing
    if (::sched_getaffinity(0, sizeof(set), &set) != 0 || CPU_COUNT(&set) < 2) {
        return;
    }
    std::size_t first = 0;
    while (!CPU_ISSET(first, &set)) {
        ++first;
    }
    CPU_CLR(first, &set);
    ::sched_setaffinity(0, sizeof(set), &set);
}

} // namespace

void give_way() {
    ::setpriority(PRIO_PROCESS, 0, std::max(nice_min, ::getpriority(PRIO_PROCESS, 0)));
    leave_a_processor();
}

void give_way_in_session() {
    if (::getsid(0) != ::getpid()) {
        return; // started by hand: the group is that of a terminal, or of a test
    }
    const int file = ::open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
    if (file >= 0) {
        // One who is not root may do that ten times a second only; what fails then is a nicety.
        [[maybe_unused]] const auto written = ::write(file, group_nice.data(), group_nice.size());
        ::close(file);
    }
}

} // namespace tocsin::jobs
