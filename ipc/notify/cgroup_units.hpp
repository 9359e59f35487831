// SPDX-License-Identifier: Apache-2.0
// From a cgroup's id to the systemd unit that it belongs to. The id is the inode number of the cgroup's folder, which
// is all that is left of a process that has ended; without privileges the folder is found only by looking at all of
// them. So that is done seldom, in bounds, and remembered: an id is never used again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::ipc::notify {

// Where the unified hierarchy is mounted; empty where there is none.
std::filesystem::path cgroup_root();

class CgroupUnits {
public:
    explicit CgroupUnits(std::filesystem::path root) : root_(std::move(root)) {}

    // Empty where it is not known. Looks anew at most once a second of `now_us`.
    std::string unit_of(std::uint64_t id, std::int64_t now_us);

private:
    static constexpr std::size_t folders_max = 4'096;
    static constexpr std::int64_t scan_interval_us = 1'000'000;

    void scan();

    std::filesystem::path root_;
    std::map<std::uint64_t, std::string> paths_{}; // below the root, with a slash in front
    std::optional<std::int64_t> scanned_us_{};
};

// The id of the cgroup that the process of a pidfd is in, or was in when it ended (Linux 6.13, 6.15). nullopt where the
// kernel does not say.
std::optional<std::uint64_t> cgroup_of_pidfd(int pidfd);

} // namespace tocsin::ipc::notify
