// SPDX-License-Identifier: Apache-2.0
// The shipped script as the helper starts it: the event on standard input, its fields in the environment, an empty
// working directory, descriptor 3.
#include "tests/unit/cli/fake.hpp"

#include "core/job.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace tocsin::cli::test {
namespace {

const std::string script = std::filesystem::absolute("examples/spark.d/demo-report");

class DemoReport : public testing::Test {
protected:
    void SetUp() override {
        std::string path = "/tmp/tocsin-demo-report-XXXXXX";
        folder = ::mkdtemp(path.data());
    }
    void TearDown() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }

    static void redirect(posix_spawn_file_actions_t& actions, int fd, const std::string& path) {
        ::posix_spawn_file_actions_addopen(&actions, fd, path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    }

    // The exit status.
    int make(std::string_view event, std::vector<std::string> environment) {
        const Input input(event);
        posix_spawn_file_actions_t actions{};
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
        ::posix_spawn_file_actions_adddup2(&actions, input.fd(), 0);
        redirect(actions, 1, folder + "/../" + name() + ".out");
        redirect(actions, 2, "/dev/null");
        redirect(actions, 3, folder + "/../" + name() + ".line");
        environment.emplace_back("PATH=/usr/bin:/bin");
        std::vector<char*> variables;
        for (std::string& variable : environment) {
            variables.push_back(variable.data());
        }
        variables.push_back(nullptr);
        std::string word = script;
        char* const words[] = {word.data(), nullptr};
        pid_t child = 0;
        EXPECT_EQ(::posix_spawn(&child, script.c_str(), &actions, nullptr, words, variables.data()), 0);
        ::posix_spawn_file_actions_destroy(&actions);
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    std::string name() const { return std::filesystem::path(folder).filename(); }

    static std::string read_and_remove(const std::string& path) {
        std::ifstream file(path);
        std::stringstream text;
        text << file.rdbuf();
        ::unlink(path.c_str());
        return text.str();
    }

    std::string folder;
};

TEST_F(DemoReport, MakesAReportAndSaysWhich) {
    const int status = make(R"({"unique_index":17,"summary":"ä"})",
                            {"TOCSIN_JOB_ID=5", "TOCSIN_EVENT_INDEX=17", "TOCSIN_EVENT_NAME=Node_Stall"});
    const std::string line = read_and_remove("/tmp/" + name() + ".line");
    const std::string output = read_and_remove("/tmp/" + name() + ".out");
    EXPECT_EQ(status, 0);
    const auto report = parse_report_line(line.substr(0, line.find('\n')));
    ASSERT_TRUE(report.has_value()) << line;
    EXPECT_EQ(report->report_id, 5);
    EXPECT_EQ(report->url, "") << "the daemon takes the file";
    EXPECT_NE(output.find("wrote report.txt"), std::string::npos);
    const std::string text = read_and_remove(folder + "/report.txt");
    for (const std::string_view word : {"Report 5", "17", "Node_Stall", R"({"unique_index":17,"summary":"ä"})"}) {
        EXPECT_NE(text.find(word), std::string::npos) << word << "\n" << text;
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder)) << "nothing but the report is left";
}

TEST_F(DemoReport, TrustsNothingThatAnEventSays) {
    EXPECT_EQ(make("{\"summary\":\"\x1b[2J\"}", {"TOCSIN_JOB_ID=1", "TOCSIN_EVENT_NAME=$(touch x) \x1b[31m; `id`"}), 0);
    read_and_remove("/tmp/" + name() + ".line");
    read_and_remove("/tmp/" + name() + ".out");
    const std::string text = read_and_remove(folder + "/report.txt");
    EXPECT_NE(text.find("$(touch x) [31m; `id`"), std::string::npos) << text;
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(DemoReport, WithoutAnEventThereIsNoReport) {
    EXPECT_NE(make("", {"TOCSIN_JOB_ID=1"}), 0);
    EXPECT_EQ(read_and_remove("/tmp/" + name() + ".line"), "");
    read_and_remove("/tmp/" + name() + ".out");
    EXPECT_TRUE(std::filesystem::is_empty(folder));
    EXPECT_NE(make("{}", {}), 0);
    read_and_remove("/tmp/" + name() + ".line");
    read_and_remove("/tmp/" + name() + ".out");
}

} // namespace
} // namespace tocsin::cli::test
