// SPDX-License-Identifier: Apache-2.0
// Files that appear whole or not at all: backups that break off, exports, names that are taken.
#include "cli/new_file.hpp"
#include "fake.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace tocsin::cli::test {
namespace {

class FilesTest : public ::testing::Test {
protected:
    FilesTest() {
        std::string name = (std::filesystem::temp_directory_path() / "tocsin-files-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        folder = name;
    }
    ~FilesTest() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }
    FilesTest(const FilesTest&) = delete;
    FilesTest& operator=(const FilesTest&) = delete;

    std::string path(std::string_view name) const { return (folder / name).string(); }
    std::size_t files() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
    }
    static std::string text_of(const std::string& file) {
        std::ifstream in(file);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    std::filesystem::path folder;
    FakeDaemon daemon;
};

TEST_F(FilesTest, ANewFileIsThereWhenItIsKept) {
    {
        auto file = NewFile::create(path("a"));
        ASSERT_TRUE(file);
        ASSERT_EQ(::write(file->get(), "x", 1), 1);
        EXPECT_FALSE(std::filesystem::exists(path("a")));
        ASSERT_TRUE(file->keep());
    }
    EXPECT_EQ(text_of(path("a")), "x");
    EXPECT_EQ(files(), 1U);
}

TEST_F(FilesTest, AGivenUpFileLeavesNothing) {
    {
        ASSERT_TRUE(NewFile::create(path("a")));
    }
    EXPECT_EQ(files(), 0U);
}

TEST_F(FilesTest, NothingIsReplacedEvenWhenItCameMeanwhile) {
    auto file = NewFile::create(path("a"));
    ASSERT_TRUE(file);
    std::ofstream(path("a")) << "precious";
    const auto kept = file->keep();
    ASSERT_FALSE(kept);
    EXPECT_EQ(kept.error().code, Code::conflict);
    EXPECT_EQ(text_of(path("a")), "precious");
    EXPECT_EQ(NewFile::create(path("a")).error().code, Code::conflict);
    EXPECT_EQ(NewFile::create(path("no/a")).error().code, Code::not_found);
}

TEST_F(FilesTest, ABackupThatBrokeOffIsNotKept) {
    daemon.say(200, std::string(10'000, 'x')); // pages without the mark behind them
    const Ran ran = run(daemon, {"backup", path("copy")});
    EXPECT_EQ(ran.code, 5);
    EXPECT_NE(ran.err.find("broke off"), std::string::npos) << ran.err;
    EXPECT_EQ(daemon.last().method, "POST");
    EXPECT_EQ(daemon.last().target, "/v1/backup");
    EXPECT_TRUE(std::filesystem::is_empty(path("copy")));
    daemon.refuse(409, "Conflict", "another backup is being made");
    EXPECT_EQ(run(daemon, {"backup", path("copy")}).code, 8);
    EXPECT_TRUE(std::filesystem::is_empty(path("copy")));
}

TEST_F(FilesTest, AnExportThatFailsOnTheWayIsNotKept) {
    daemon.say(200, "{\"unique_index\":1}\n", "/v1/events?cursor=abc&limit=10000");
    daemon.refuse(503, "Unavailable", "stopping");
    EXPECT_EQ(run(daemon, {"export", path("e.ndjson")}).code, 5);
    EXPECT_EQ(files(), 0U);
    daemon.say(200, "{\"unique_index\":1}\n", "/v1/events?cursor=abc&limit=10000");
    daemon.say(200, "{\"unique_index\":2}\n");
    const Ran ran = run(daemon, {"export", path("e.ndjson"), "--json"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_NE(ran.out.find("\"count\":2"), std::string::npos) << ran.out;
    EXPECT_EQ(text_of(path("e.ndjson")), "{\"unique_index\":1}\n{\"unique_index\":2}\n");
    EXPECT_NE(daemon.last().target.find("order=index"), std::string::npos);
}

} // namespace
} // namespace tocsin::cli::test
