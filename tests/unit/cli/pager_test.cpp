// SPDX-License-Identifier: Apache-2.0
#include "cli/pager.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <sys/stat.h>

namespace tocsin::cli {
namespace {

using Words = std::vector<std::string>;

class Variables {
public:
    Variables(std::initializer_list<std::pair<const char*, const char*>> set) {
        clear();
        for (const auto& [name, value] : set) {
            ::setenv(name, value, 1);
        }
    }
    ~Variables() { clear(); }
    Variables(const Variables&) = delete;
    Variables& operator=(const Variables&) = delete;

private:
    static void clear() {
        for (const char* const name : {"TOCSIN_PAGER", "SYSTEMD_PAGER", "PAGER", "TOCSIN_LESS", "SYSTEMD_LESS",
                                       "SUDO_UID", "PKEXEC_UID", "SYSTEMD_PAGERSECURE"}) {
            ::unsetenv(name);
        }
    }
};

TEST(PagerChoice, TheFirstVariableThatIsSet) {
    EXPECT_EQ(pagers({}), (std::vector<Words>{{"less"}, {"more"}}));
    EXPECT_EQ(pagers({.command = "most -s  -w"}), (std::vector<Words>{{"most", "-s", "-w"}, {"less"}, {"more"}}));
    EXPECT_TRUE(pagers({.command = ""}).empty());
    EXPECT_TRUE(pagers({.command = " cat "}).empty());
    const Variables variables{{"PAGER", "third"}, {"SYSTEMD_PAGER", "second"}, {"TOCSIN_LESS", "R"}};
    EXPECT_EQ(pager_wishes().command, "second");
    EXPECT_EQ(pager_wishes().less, "R");
    ::setenv("TOCSIN_PAGER", "", 1);
    EXPECT_EQ(pager_wishes().command, "");
}

TEST(PagerChoice, WithAnothersRightsOnlyLessAndLocked) {
    EXPECT_EQ(pagers({.command = "sh -c id", .secure = true}), (std::vector<Words>{{"less"}}));
    EXPECT_TRUE(pagers({.command = "cat", .secure = true}).empty());
    const Variables variables{{"SUDO_UID", "1000"}};
    EXPECT_TRUE(pager_wishes().secure);
    ::setenv("SYSTEMD_PAGERSECURE", "0", 1);
    EXPECT_FALSE(pager_wishes().secure);
}

class PagedOutputTest : public testing::Test {
protected:
    void SetUp() override {
        std::string name = "/tmp/tocsin-pager-XXXXXX";
        folder_ = ::mkdtemp(name.data());
        std::ofstream(folder_ + "/pager")
            << "#!/bin/sh\nprintenv LESS LESSSECURE > " << folder_ << "/environment\ncat > " << folder_ << "/text\n";
        ::chmod((folder_ + "/pager").c_str(), 0755);
        beneath_.terminal = true;
        beneath_.columns = 40;
        before_ = std::signal(SIGPIPE, SIG_IGN);
    }
    void TearDown() override { std::signal(SIGPIPE, before_); }
    std::string read(const char* name) const {
        std::ifstream file(folder_ + "/" + name);
        std::stringstream text;
        text << file.rdbuf();
        return text.str();
    }
    PagerWishes wishes() const { return {.command = folder_ + "/pager"}; }

    std::string folder_{};
    MemoryOutput beneath_{};
    void (*before_)(int) = SIG_DFL;
};

TEST_F(PagedOutputTest, GivesAllTextToThePagerAndWaits) {
    const std::string text(1'000'000, 'x');
    {
        PagedOutput out(beneath_, wishes());
        EXPECT_TRUE(out.terminal);
        EXPECT_EQ(out.columns, 40U);
        out.write("begin\n");
        out.write(text);
    }
    EXPECT_EQ(read("text"), "begin\n" + text);
    EXPECT_EQ(read("environment"), "FRSXMK\n");
    beneath_.flush();
    EXPECT_TRUE(beneath_.text.empty());
}

TEST_F(PagedOutputTest, WithoutTextThereIsNoPager) {
    {
        const PagedOutput out(beneath_, wishes());
    }
    EXPECT_FALSE(std::ifstream(folder_ + "/text").good());
}

TEST_F(PagedOutputTest, AReaderThatHasSeenEnoughEndsIt) {
    std::ofstream(folder_ + "/pager") << "#!/bin/sh\nread line\n";
    PagedOutput out(beneath_, wishes());
    for (int i = 0; i < 1'000 && !out.gone(); ++i) {
        out.write(std::string(10'000, 'x') + "\n");
    }
    EXPECT_TRUE(out.gone());
}

TEST_F(PagedOutputTest, WhereNoPagerStartsTheTerminalGetsTheText) {
    ::setenv("PATH_BEFORE", ::getenv("PATH"), 1);
    ::setenv("PATH", "/nowhere", 1);
    {
        PagedOutput(beneath_, {.command = "/nowhere/pager"}).write("text\n");
    }
    ::setenv("PATH", ::getenv("PATH_BEFORE"), 1);
    EXPECT_EQ(beneath_.text, "text\n");
}

} // namespace
} // namespace tocsin::cli
