// SPDX-License-Identifier: Apache-2.0
#include "ipc/notify/cgroup_units.hpp"

#include "ipc/process.hpp"

#include <deque>
#include <dirent.h>
#include <memory>
#include <sys/ioctl.h>
#include <sys/vfs.h>

namespace tocsin::ipc::notify {
namespace {

constexpr decltype(statfs::f_type) cgroup2_magic = 0x63677270;

// struct pidfd_info of <linux/pidfd.h>, as of Linux 6.13; newer kernels take and fill this much of theirs.
struct PidfdInfo {
    std::uint64_t mask = 0;
    std::uint64_t cgroup_id = 0;
    std::uint32_t unused[11]{};
    std::int32_t exit_code = 0;
};
static_assert(sizeof(PidfdInfo) == 64);

constexpr std::uint64_t info_cgroup_id = 1U << 2U;
constexpr std::uint64_t info_exit = 1U << 3U;
constexpr unsigned long get_info = _IOWR(0xFF, 11, PidfdInfo);

struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
};

} // namespace

std::filesystem::path cgroup_root() {
    for (const char* path : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
        struct statfs status{};
        if (::statfs(path, &status) == 0 && status.f_type == cgroup2_magic) {
            return path;
        }
    }
    return {};
}

std::string CgroupUnits::unit_of(std::uint64_t id, std::int64_t now_us) {
    auto found = paths_.find(id);
    if (found == paths_.end() && (!scanned_us_ || now_us - *scanned_us_ >= scan_interval_us)) {
        scanned_us_ = now_us;
        scan();
        found = paths_.find(id);
    }
    return found == paths_.end() ? std::string{} : unit_of_cgroup("0::" + found->second);
}

// Breadth first: units are near the root, and what is beyond the bound is deep inside some of them.
void CgroupUnits::scan() {
    paths_.clear();
    if (root_.empty()) {
        return;
    }
    std::deque<std::string> open{std::string{}};
    while (!open.empty() && paths_.size() < folders_max) {
        const std::string below = std::move(open.front());
        open.pop_front();
        const std::unique_ptr<DIR, CloseFolder> folder(::opendir((root_.native() + below).c_str()));
        if (!folder) {
            continue; // gone meanwhile
        }
        for (const dirent* entry = ::readdir(folder.get()); entry != nullptr && paths_.size() < folders_max;
             entry = ::readdir(folder.get())) {
            const std::string_view name = entry->d_name;
            if (entry->d_type == DT_DIR && name != "." && name != "..") {
                open.push_back(below + '/' + std::string(name));
                paths_.emplace(entry->d_ino, open.back());
            }
        }
    }
}

std::optional<std::uint64_t> cgroup_of_pidfd(int pidfd) {
    PidfdInfo info{.mask = info_cgroup_id | info_exit};
    if (pidfd < 0 || ::ioctl(pidfd, get_info, &info) != 0 || (info.mask & info_cgroup_id) == 0) {
        return std::nullopt;
    }
    return info.cgroup_id;
}

} // namespace tocsin::ipc::notify
