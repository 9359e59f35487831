// SPDX-License-Identifier: Apache-2.0
// What of an export goes to the daemon, line for line; and CSV in pieces of any size.
#include "cli/csv_reader.hpp"
#include "cli/import_lines.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tocsin::cli {
namespace {

std::string lines_of(std::string_view text, ImportRules rules = {}, std::size_t piece = 1'000) {
    ImportLines import(rules);
    std::string lines;
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
        EXPECT_TRUE(import.take(text.substr(0, piece), lines));
    }
    EXPECT_TRUE(import.finish(lines));
    return lines;
}

constexpr ImportRules no_keys{.keys = false};
constexpr ImportRules csv{.format = ImportFormat::csv, .keys = false};

TEST(ImportLines, LeavesOutWhatTheDaemonSays) {
    EXPECT_EQ(
        lines_of(R"({"unique_index":7,"scid":-1,"event_name":"a","event_src":"s","spark_report_id":-1,"count":2,)"
                 R"("payload":{"f":1.25e-07,"b":9223372036854775807},"received_time":"x","cause":3,"cause_depth":1,)"
                 R"("host":"h","host_index":2,"origin":{"uid":0}})"
                 "\n",
                 no_keys),
        R"({"scid":-1,"event_name":"a","event_src":"s","count":2,"payload":{"f":1.25e-07,"b":9223372036854775807}})"
        "\n");
}

TEST(ImportLines, KeysTellTwinsApartAndKnowTheSameLineAgain) {
    constexpr std::string_view twins = "{\"unique_index\":1,\"event_name\":\"a\",\"event_src\":\"s\"}\n"
                                       "{\"unique_index\":2,\"event_name\":\"a\",\"event_src\":\"s\"}\n"
                                       "{\"event_name\":\"a\",\"event_src\":\"s\"}\n"
                                       "{\"event_name\":\"a\",\"event_src\":\"s\"}\n";
    const std::string once = lines_of(twins);
    EXPECT_EQ(once, lines_of(twins, {}, 3)) << "whatever the pieces";
    std::vector<std::string> keys;
    for (std::size_t at = once.find("import-"); at != std::string::npos; at = once.find("import-", at + 1)) {
        keys.push_back(once.substr(at, once.find('"', at) - at));
    }
    ASSERT_EQ(keys.size(), 4U);
    std::ranges::sort(keys);
    EXPECT_EQ(std::ranges::unique(keys).begin(), keys.end());
    EXPECT_EQ(keys.front().size(), 39U);
    const std::string own = R"({"event_name":"a","event_src":"s","idempotency_key":"mine"})"
                            "\n";
    EXPECT_EQ(lines_of(own), own);
    // A report that came later makes no other event of it.
    EXPECT_EQ(lines_of(R"({"unique_index":1,"event_name":"a","event_src":"s"})"),
              lines_of(R"({"unique_index":1,"event_name":"a","event_src":"s","spark_report_id":5})"));
}

TEST(ImportLines, KeepsTheNumbersOfLines) {
    ImportLines import(no_keys);
    std::string lines;
    EXPECT_TRUE(import.take("{\"event_src\":\"tocsin\",\"event_name\":\"daemon.started\"}\nbroken\n\n", lines));
    EXPECT_EQ(lines, "\nbroken\n\n");
    EXPECT_EQ(import.left_out(), 1U);
    EXPECT_EQ(lines_of("event_name,payload\r\na,\"{\"\"t\"\":\n1}\"\r\nb,\r\n", csv),
              "\n\n{\"event_name\":\"a\",\"payload\":{\"t\":1}}\n{\"event_name\":\"b\"}\n");
}

TEST(ImportLines, ScriptsCanBeLeftOut) {
    EXPECT_EQ(lines_of(R"({"event_name":"a","spark_script":"r"})", {.keys = false, .scripts = false}),
              "{\"event_name\":\"a\"}\n");
}

TEST(ImportLines, CellsBecomeWhatTheyAre) {
    EXPECT_EQ(
        lines_of("scid,count,event_name,payload,summary\n-3,2,007,\"{\"\"a\"\": 1}\",\nx,,n,no,\" a,\"\"b\"\" \"\n",
                 csv),
        "\n{\"scid\":-3,\"count\":2,\"event_name\":\"007\",\"payload\":{\"a\":1}}\n"
        "{\"scid\":\"x\",\"event_name\":\"n\",\"payload\":\"no\",\"summary\":\" a,\\\"b\\\" \"}\n");
}

TEST(ImportLines, NamesTheLineThatCannotBeRead) {
    for (const std::string_view wrong : {"a,b\n1\n", "a,b\n\"x\"y,1\n", "a,b\nx\"y\",1\n", "a,b\n\"never closed"}) {
        ImportLines import(csv);
        std::string lines;
        auto read = import.take(wrong, lines);
        read = read ? import.finish(lines) : read;
        ASSERT_FALSE(read) << wrong;
        EXPECT_EQ(read.error().object, "line 2") << wrong;
    }
    ImportLines endless(no_keys);
    std::string lines;
    const auto read = endless.take(std::string(3 * limits::MiB, 'x'), lines);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::limit_exceeded);
}

} // namespace
} // namespace tocsin::cli
