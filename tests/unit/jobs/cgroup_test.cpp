// SPDX-License-Identifier: Apache-2.0
#include "site.hpp"

#include "jobs/cgroup.hpp"

namespace tocsin::jobs::test {
namespace {

class Cgroup : public ::testing::Test {
protected:
    void put(const std::string& path, const std::string& text) {
        std::error_code error;
        fs::create_directories((root_.path() / path).parent_path(), error);
        std::ofstream(root_.path() / path) << text << "\n";
    }
    std::string unlimited(std::string_view membership) { return unlimited_in(membership, root_.path().string()); }

    TempDirectory root_{};
};

TEST_F(Cgroup, BothLimitsOfVersionTwoBind) {
    put("system.slice/x/memory.max", "1073741824");
    put("system.slice/x/pids.max", "64");
    EXPECT_EQ(unlimited("0::/system.slice/x\n"), "");
}

TEST_F(Cgroup, MaxIsNoLimit) {
    put("x/memory.max", "max");
    put("x/pids.max", "64");
    EXPECT_EQ(unlimited("0::/x\n"), "memory");
    put("x/pids.max", "max");
    EXPECT_EQ(unlimited("0::/x\n"), "memory and pids");
}

TEST_F(Cgroup, AMissingControllerIsNoLimit) {
    put("x/memory.max", "1");
    EXPECT_EQ(unlimited("0::/x\n"), "pids");
    EXPECT_EQ(unlimited(""), "memory and pids");
    EXPECT_EQ(unlimited("nonsense\n::\n"), "memory and pids");
}

TEST_F(Cgroup, VersionOneHasItsOwnNames) {
    put("memory/a/memory.limit_in_bytes", "1073741824");
    put("pids/b/pids.max", "64");
    EXPECT_EQ(unlimited("9:pids:/b\n4:cpu,memory:/a\n1:name=systemd:/c\n0::/\n"), "");
    put("memory/a/memory.limit_in_bytes", "9223372036854771712");
    EXPECT_EQ(unlimited("9:pids:/b\n4:memory:/a\n0::/\n"), "memory");
}

} // namespace
} // namespace tocsin::jobs::test
