// SPDX-License-Identifier: Apache-2.0
#include "site.hpp"

#include "jobs/script_lint.hpp"

namespace tocsin::jobs::test {
namespace {

class ScriptLint : public ::testing::Test {
protected:
    std::vector<ScriptFinding> look(const std::string& name, const std::string& text, mode_t mode = 0755) {
        const fs::path path = root_.path() / name;
        std::ofstream(path) << text;
        ::chmod(path.c_str(), mode);
        return lint_script(path.string(), ::geteuid());
    }
    // What is wrong with a script of this text; "" where nothing is.
    std::string wrong(const std::string& text) {
        std::string all;
        for (const ScriptFinding& finding : look("s", text)) {
            all += finding.wrong ? finding.text : "";
        }
        return all;
    }
    TempDirectory root_{};
};

TEST_F(ScriptLint, FindsNothingWhereNothingIs) {
    EXPECT_EQ(wrong("#!/bin/sh\nexit 0\n"), "");
    EXPECT_EQ(wrong("#! /bin/sh -e\n"), "");
    EXPECT_EQ(wrong("#!/usr/bin/env sh"), "");
    EXPECT_EQ(wrong("#!/usr/bin/env -S sh -e\n"), "");
    EXPECT_EQ(wrong("\x7f"
                    "ELF and so on"),
              "");
}

TEST_F(ScriptLint, SaysWhatTheSystemWouldNotRun) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"", "is empty"},
        {"echo\n", "must begin with #!"},
        {"#!/bin/sh\r\nexit 0\r\n", "as in Windows"},
        {"#!/nonexistent/perl\n", "/nonexistent/perl"},
        {"#!python3\n", "by its whole path"},
        {"#!\n", "by its whole path"},
        {"#!/etc/passwd\n", "not executable"},
        {"#!/usr/bin/env nonexistent-program -x\n", "nonexistent-program"},
        {"#!/usr/bin/env\n", "env without a program"},
        {"#!/bin/sh " + std::string(400, 'x') + "\n", "longer than the system reads"},
    };
    for (const auto& [text, part] : cases) {
        EXPECT_NE(wrong(text).find(part), std::string::npos) << text << " → " << wrong(text);
    }
}

TEST_F(ScriptLint, OwnershipModesAndName) {
    EXPECT_NE(look("a", "#!/bin/sh\n", 0777).front().text.find("chmod go-w"), std::string::npos);
    EXPECT_NE(look("b", "#!/bin/sh\n", 0644).front().text.find("chmod +x"), std::string::npos);
    const auto closed = look("c", "#!/bin/sh\n", 0700);
    ASSERT_EQ(closed.size(), 1U);
    EXPECT_FALSE(closed[0].wrong);
    EXPECT_NE(closed[0].text.find("chmod o+rx"), std::string::npos);
    EXPECT_TRUE(look("a..b", "#!/bin/sh\n").front().wrong) << "no event can name it";
    EXPECT_FALSE(look("a.bak", "#!/bin/sh\n").front().wrong);
    EXPECT_EQ(lint_script((root_.path() / "none").string(), ::geteuid()).size(), 1U);
}

} // namespace
} // namespace tocsin::jobs::test
