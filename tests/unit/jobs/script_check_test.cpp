// SPDX-License-Identifier: Apache-2.0
#include "site.hpp"

#include "jobs/script_check.hpp"

namespace tocsin::jobs::test {
namespace {

class ScriptCheck : public ::testing::Test {
protected:
    ScriptCheck() {
        ::mkdir(path("dir").c_str(), 0755);
        file("dir/good", 0755);
    }
    std::string path(const std::string& name) const { return (root_.path() / name).string(); }
    void file(const std::string& name, mode_t mode) {
        std::ofstream(path(name)) << "#!/bin/sh\n";
        ::chmod(path(name).c_str(), mode);
    }
    Result<std::string> check(const std::string& name) { return check_script(path(name), ::geteuid()); }
    static std::string why(const Result<std::string>& result) {
        return result ? "it is fine" : result.error().detail();
    }

    TempDirectory root_{};
};

TEST_F(ScriptCheck, GoodOnesPass) {
    EXPECT_EQ(check("dir/good"), path("dir/good")) << "below /tmp, which is sticky";
    file("dir/group", 0750);
    EXPECT_TRUE(check("dir/group"));
    EXPECT_EQ(check("dir/../dir/./good"), path("dir/good"));
}

TEST_F(ScriptCheck, WhoeverElseMayWriteSpoilsIt) {
    for (const mode_t mode : {0775U, 0757U, 0777U}) {
        file("dir/open", mode);
        EXPECT_NE(why(check("dir/open")).find("dir/open: may be written by others"), std::string::npos) << mode;
        EXPECT_EQ(check("dir/open").error().code, Code::not_authorized);
    }
    ::chmod(path("dir").c_str(), 0777);
    EXPECT_NE(why(check("dir/good")).find("dir: may be written by others"), std::string::npos);
    ::chmod(path("dir").c_str(), 0755);
    ::chmod(root_.path().c_str(), 0770);
    EXPECT_FALSE(check("dir/good"));
}

TEST_F(ScriptCheck, OwnersAreChecked) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can give files away";
    }
    ASSERT_EQ(::chown(path("dir/good").c_str(), 4711, 0), 0);
    EXPECT_NE(why(check("dir/good")).find("belongs to uid 4711; it must belong to root"), std::string::npos);
    EXPECT_TRUE(check_script(path("dir/good"), 4711));
    EXPECT_FALSE(check_script(path("dir/good"), 4712));
    ASSERT_EQ(::chown(path("dir").c_str(), 4712, 0), 0);
    EXPECT_NE(why(check_script(path("dir/good"), 4711)).find("dir: belongs to uid 4712"), std::string::npos);
}

TEST_F(ScriptCheck, OnlyExecutableRegularFiles) {
    file("dir/plain", 0644);
    EXPECT_NE(why(check("dir/plain")).find("not executable"), std::string::npos);
    EXPECT_NE(why(check("dir")).find("not a regular file"), std::string::npos);
    ::mkfifo(path("dir/fifo").c_str(), 0755);
    EXPECT_NE(why(check("dir/fifo")).find("not a regular file"), std::string::npos) << "and nobody waited for a writer";
    EXPECT_EQ(check("dir/none").error().code, Code::not_found);
    EXPECT_EQ(check("dir/good/below").error().code, Code::not_found);
    EXPECT_FALSE(check_script("dir/good", 0)) << "not absolute";
    EXPECT_FALSE(check_script("", 0));
    EXPECT_FALSE(check_script("/", 0));
    EXPECT_FALSE(check_script("/" + std::string(5'000, 'x'), 0));
}

TEST_F(ScriptCheck, LinksAreFollowedAndWhereTheyLieIsCheckedToo) {
    ASSERT_EQ(::symlink("good", path("dir/relative").c_str()), 0);
    ASSERT_EQ(::symlink(path("dir/relative").c_str(), path("dir/absolute").c_str()), 0);
    ASSERT_EQ(::symlink("dir", path("linked").c_str()), 0);
    EXPECT_EQ(check("dir/absolute"), path("dir/good"));
    EXPECT_EQ(check("linked/relative"), path("dir/good"));
    ::mkdir(path("loose").c_str(), 0755);
    ::chmod(path("loose").c_str(), 0777);
    ASSERT_EQ(::symlink("../dir/good", path("loose/planted").c_str()), 0);
    EXPECT_NE(why(check("loose/planted")).find("loose: may be written by others"), std::string::npos)
        << "anybody could have put that link there";
    ASSERT_EQ(::symlink("../loose/../dir", path("dir/around").c_str()), 0);
    EXPECT_FALSE(check("dir/around/good")) << "through a place that others may write";
    ASSERT_EQ(::symlink("loop", path("dir/loop").c_str()), 0);
    EXPECT_NE(why(check("dir/loop")).find("symbolic links"), std::string::npos);
    ASSERT_EQ(::symlink("gone", path("dir/dangling").c_str()), 0);
    EXPECT_EQ(check("dir/dangling").error().code, Code::not_found);
}

} // namespace
} // namespace tocsin::jobs::test
