// SPDX-License-Identifier: Apache-2.0
#include "cli/table.hpp"

#include "cli/event_view.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace tocsin::cli {
namespace {

Table two_columns() {
    return Table({{.title = "N", .right = true}, {.title = "WHO"}, {.title = "WHAT"}});
}

TEST(Table, AlignsByColumns) {
    MemoryOutput out;
    Table table = two_columns();
    table.add({"5", "日本", "x"});
    table.add({"500", "anna", "yy"});
    table.write(out);
    out.flush();
    EXPECT_EQ(out.text, "  N  WHO   WHAT\n"
                        "  5  日本  x\n"
                        "500  anna  yy\n");
}

TEST(Table, KeepsWidthsFromPageToPage) {
    MemoryOutput out;
    Table table = two_columns();
    table.add({"100", "long name", "a"});
    table.write(out);
    table.add({"1", "b", "c"});
    table.write(out);
    out.flush();
    EXPECT_EQ(out.text, "  N  WHO        WHAT\n"
                        "100  long name  a\n"
                        "  1  b          c\n");
}

TEST(Table, MakesCellsHarmless) {
    MemoryOutput out;
    Table table = two_columns();
    table.add({"1", "a\x1b[2J", "two\nlines"});
    table.write(out);
    out.flush();
    EXPECT_EQ(out.text, "N  WHO       WHAT\n1  a\\x1b[2J  two\\nlines\n");
}

TEST(Table, OneLongCellDoesNotPushTheOthersOffTheTerminal) {
    MemoryOutput out;
    out.columns = 80;
    Table table = two_columns();
    table.add({"1", std::string(200, 'w'), "what"});
    table.add({"2", "short", "what"});
    table.write(out);
    out.columns = 0;
    table.add({"3", std::string(200, 'w'), "what"});
    table.write(out);
    out.flush();
    EXPECT_NE(out.text.find("1  " + std::string(29, 'w') + "…  what\n"), std::string::npos) << out.text;
    EXPECT_NE(out.text.find("2  short" + std::string(25, ' ') + "  what\n"), std::string::npos) << out.text;
    EXPECT_NE(out.text.find("3  " + std::string(200, 'w') + "  what\n"), std::string::npos) << out.text;
}

TEST(Table, CutsTheLastColumnToTheTerminal) {
    MemoryOutput out;
    out.columns = 20;
    Table table = two_columns();
    table.add({"1", "a", "a text that is too long for it"});
    table.write(out);
    out.flush();
    EXPECT_EQ(out.text, "N  WHO  WHAT\n1  a    a text that…\n");
}

TEST(Table, WrapsRatherThanHidesOnANarrowTerminal) {
    MemoryOutput out;
    out.columns = 12;
    Table table = two_columns();
    table.add({"1", "a", "some text"});
    table.write(out);
    out.flush();
    EXPECT_NE(out.text.find("some text"), std::string::npos);
}

TEST(Table, ShortRowsAreFilled) {
    MemoryOutput out;
    Table table = two_columns();
    table.add({"1"});
    table.write(out);
    out.flush();
    EXPECT_EQ(out.text, "N  WHO  WHAT\n1\n");
}

TEST(Table, ColoursDoNotMoveColumns) {
    MemoryOutput out;
    out.colours = true;
    Table table({{.title = "STATE"}, {.title = "X"}});
    table.add({Cell("up", Colour::green), "1"});
    table.write(out);
    out.flush();
    EXPECT_EQ(out.text, "\x1b[1mSTATE\x1b[0m  \x1b[1mX\x1b[0m\n\x1b[32mup\x1b[0m     1\n");
}

TEST(Sheet, AlignsNames) {
    MemoryOutput out;
    Sheet sheet;
    sheet.add("a", "1");
    sheet.add("long", "2\x07");
    sheet.write(out);
    out.flush();
    EXPECT_EQ(out.text, "a     1\nlong  2\\x07\n");
}

TEST(EventView, ShowsWhatMatters) {
    MemoryOutput out;
    Table table = event_table();
    const auto event =
        Value::parse(R"({"unique_index":17,"scid":4,"event_time":"2026-01-02T03:00:04.000000Z","event_name":"n",)"
                     R"("event_src":"s","severity":"error","summary":"sum","count":3,"spark_report_id":-1})");
    ASSERT_TRUE(event.has_value());
    add_event(table, *event, true);
    table.write(out);
    out.flush();
    for (const std::string_view word : {"17", "2026-01-02 03:00:04.000Z", "error", "[report asked] sum (×3)"}) {
        EXPECT_NE(out.text.find(word), std::string::npos) << word;
    }
}

TEST(EventView, ADefaultSummaryGivesWayToThePayload) {
    for (const auto& [more, wanted] :
         std::vector<std::pair<std::string, std::string>>{{R"("summary":"n from s","payload":{"a":1})", R"({"a":1})"},
                                                          {R"("summary":"own","payload":{"a":1})", "own"}}) {
        MemoryOutput out;
        Table table = event_table();
        add_event(table, *Value::parse(R"({"event_name":"n","event_src":"s",)" + more + "}"), true);
        table.write(out);
        out.flush();
        EXPECT_TRUE(out.text.ends_with("  " + wanted + "\n")) << out.text;
    }
}

TEST(EventView, ColoursSeveritiesAndStates) {
    EXPECT_EQ(severity_colour("critical"), Colour::alarm);
    EXPECT_EQ(severity_colour("error"), Colour::red);
    EXPECT_EQ(severity_colour("warning"), Colour::yellow);
    EXPECT_EQ(severity_colour("info"), Colour::plain);
    EXPECT_EQ(state_colour("down"), Colour::red);
    EXPECT_EQ(state_colour("up"), Colour::green);
    EXPECT_EQ(state_colour("late"), Colour::yellow);
    EXPECT_EQ(state_colour("timed-out"), Colour::red);
    EXPECT_EQ(state_colour("new"), Colour::plain);
}

// ---- output ----

TEST(FileOutput, AReaderThatLeftIsNoError) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ::close(ends[0]);
    const auto before = ::signal(SIGPIPE, SIG_IGN);
    FileOutput out(ends[1]);
    out.write("x");
    out.flush();
    EXPECT_TRUE(out.gone());
    EXPECT_TRUE(out.finish().has_value());
    ::signal(SIGPIPE, before);
    ::close(ends[1]);
}

TEST(FileOutput, AFullDiskIsTold) {
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    ASSERT_GE(full, 0);
    FileOutput out(full);
    out.write("x");
    const auto finished = out.finish();
    ASSERT_FALSE(finished.has_value());
    EXPECT_EQ(finished.error().code, Code::storage_full);
    ::close(full);
}

TEST(FileOutput, WritesAllOfIt) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    FileOutput out(ends[1]);
    EXPECT_FALSE(out.terminal);
    out.line("hello");
    EXPECT_TRUE(out.finish().has_value());
    char buffer[16];
    EXPECT_EQ(::read(ends[0], buffer, sizeof buffer), 6);
    ::close(ends[0]);
    ::close(ends[1]);
}

} // namespace
} // namespace tocsin::cli
