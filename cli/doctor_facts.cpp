// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor_facts.hpp"

#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <grp.h>
#include <pwd.h>

namespace tocsin::cli {
namespace {

constexpr std::array<const char*, 6> installed_files{"/run/tocsin/tocsin.sock", "/run/tocsin/notify",
                                                     "/var/lib/tocsin",         "/etc/tocsin/conf.d",
                                                     "/etc/tocsin/credentials", "/etc/tocsin/tocsin.toml"};
constexpr unsigned permission_bits = 07777;
constexpr std::size_t groups_max = 65'536; // of a process, by the kernel

// NOLINTBEGIN(concurrency-mt-unsafe): one thread
std::string user_name(uid_t uid) {
    const passwd* const user = ::getpwuid(uid);
    return user == nullptr ? std::to_string(uid) : user->pw_name;
}

std::string group_name(gid_t gid) {
    const group* const found = ::getgrgid(gid);
    return found == nullptr ? std::to_string(gid) : found->gr_name;
}

bool is_member() {
    if (::geteuid() == 0) {
        return true;
    }
    const group* const tocsin = ::getgrnam("tocsin");
    if (tocsin == nullptr) {
        return false;
    }
    std::vector<gid_t> groups(groups_max);
    const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
    return count > 0 && std::find(groups.begin(), groups.begin() + count, tocsin->gr_gid) != groups.begin() + count;
}
// NOLINTEND(concurrency-mt-unsafe)

FileFact look_at(const char* path) {
    struct stat seen{};
    if (::stat(path, &seen) != 0) {
        return {.path = path};
    }
    return {.path = path,
            .exists = true,
            .mode = seen.st_mode & permission_bits,
            .owner = user_name(seen.st_uid),
            .group = group_name(seen.st_gid)};
}

std::optional<bool> clock_synchronized() {
    timex clock{};
    if (::adjtimex(&clock) < 0) {
        return std::nullopt;
    }
    return (static_cast<unsigned>(clock.status) & static_cast<unsigned>(STA_UNSYNC)) == 0;
}

std::optional<std::uint64_t> number_in(const char* path) {
    std::ifstream file(path);
    std::uint64_t number = 0;
    return file >> number ? std::optional(number) : std::nullopt;
}

} // namespace

SystemFacts gather_facts(bool installed) {
    SystemFacts facts;
    facts.bus = bus_fact();
    facts.clock_synchronized = clock_synchronized();
    facts.datagram_queue = number_in("/proc/sys/net/unix/max_dgram_qlen");
    facts.connection_queue = number_in("/proc/sys/net/core/somaxconn");
    facts.caller_is_member = is_member();
    if (installed) {
        facts.service = service_fact(facts.service_problem);
        std::ranges::transform(installed_files, std::back_inserter(facts.files), look_at);
    }
    return facts;
}

} // namespace tocsin::cli
