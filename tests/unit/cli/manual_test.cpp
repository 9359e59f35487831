// SPDX-License-Identifier: Apache-2.0
// The man page is made of the table of verbs; the one that is checked in is that text.
#include "cli/help.hpp"
#include "cli/verbs.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace tocsin::cli {
namespace {

TEST(Manual, TheCheckedInPageIsTheTable) {
    std::ifstream file("docs/man/tocsinctl.1");
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_EQ(text.str(), manual_page()) << "run: tocsinctl help --man > docs/man/tocsinctl.1";
}

TEST(Manual, NamesEveryVerbOptionAndExitCode) {
    const std::string page = manual_page();
    for (const Verb& verb : all_verbs()) {
        EXPECT_EQ(page.find(".SS \"" + std::string(verb.name)) != std::string::npos,
                  verb.run != nullptr && !verb.hidden)
            << verb.name;
    }
    for (const CodeInfo& row : all_codes()) {
        EXPECT_NE(page.find(".B " + std::to_string(row.exit_code) + "\n" + std::string(row.name)), std::string::npos);
    }
    EXPECT_NE(page.find("\\fB\\-\\-min\\-severity\\fR"), std::string::npos);
}

TEST(Manual, NoTextBecomesARequest) {
    std::istringstream page(manual_page());
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with('.')) {
            EXPECT_TRUE(line.starts_with(".\\\"") || (line.size() > 1 && line[1] >= 'A' && line[1] <= 'Z') ||
                        line == ".nf" || line == ".fi")
                << line;
        }
        EXPECT_FALSE(line.starts_with('\'')) << line;
    }
}

} // namespace
} // namespace tocsin::cli
