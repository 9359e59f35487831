// SPDX-License-Identifier: Apache-2.0
#include "core/time.hpp"

#include <gmock/gmock.h>

namespace tocsin {
namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t day_us = 86'400 * second_us;

TEST(Duration, KnowsItsUnits) {
    const std::vector<std::pair<std::string_view, std::int64_t>> cases{
        {"0", 0},
        {"0s", 0},
        {"1us", 1},
        {"500ms", 500'000},
        {"30s", 30 * second_us},
        {"5m", 300 * second_us},
        {"2h", 7'200 * second_us},
        {"7d", 7 * day_us},
        {"4w", 28 * day_us},
        {"1y", 365 * day_us},
        {"1h30m", 5'400 * second_us},
        {"1d1s", day_us + second_us},
        {"1m1ms", 60 * second_us + 1'000},
        {"90s", 90 * second_us},
    };
    for (const auto& [text, us] : cases) {
        const auto read = parse_duration_us(text);
        ASSERT_TRUE(read) << text << ": " << read.error().detail();
        EXPECT_EQ(*read, us) << text;
    }
}

TEST(Duration, RefusesEverythingElse) {
    for (const std::string_view text : {"",
                                        " ",
                                        "30",
                                        "s",
                                        "-5s",
                                        "5 s",
                                        "5s ",
                                        "1.5h",
                                        "5x",
                                        "5S",
                                        "30m1h",
                                        "1s1s",
                                        "5min",
                                        "1h30",
                                        "0x1s",
                                        "++1s",
                                        "9223372036855s",
                                        "999999999999999999999s",
                                        "292278y999999999999s",
                                        "1e3s",
                                        "∞"}) {
        const auto read = parse_duration_us(text);
        ASSERT_FALSE(read) << text << " became " << *read;
        EXPECT_EQ(read.error().code, Code::invalid_argument);
        EXPECT_THAT(read.error().detail(), testing::HasSubstr("is not a duration: "));
        EXPECT_THAT(read.error().detail(), testing::HasSubstr("write 500ms, 30s")) << "say what to do next";
    }
}

TEST(Duration, IsWrittenSoThatItReadsBack) {
    const std::vector<std::pair<std::int64_t, std::string_view>> cases{
        {0, "0s"},
        {1, "1us"},
        {1'500, "1ms500us"},
        {500'000, "500ms"},
        {30 * second_us, "30s"},
        {90 * second_us, "1m30s"},
        {7 * day_us, "7d"},
        {28 * day_us, "28d"},
        {365 * day_us, "1y"},
        {366 * day_us, "366d"},
        {5'400 * second_us, "1h30m"},
        {-30 * second_us, "-30s"},
    };
    for (const auto& [us, text] : cases) {
        EXPECT_EQ(format_duration(us), text);
        if (us >= 0) {
            EXPECT_EQ(parse_duration_us(format_duration(us)), us) << text;
        }
    }
}

TEST(Size, KnowsItsUnits) {
    const std::vector<std::pair<std::string_view, std::uint64_t>> cases{
        {"0", 0},
        {"1", 1},
        {"64K", 65'536},
        {"64k", 65'536},
        {"8M", 8ULL << 20U},
        {"4G", 4ULL << 30U},
        {"1T", 1ULL << 40U},
        {"18446744073709551615", ~0ULL},
    };
    for (const auto& [text, bytes] : cases) {
        const auto read = parse_size(text);
        ASSERT_TRUE(read) << text << ": " << read.error().detail();
        EXPECT_EQ(*read, bytes) << text;
    }
}

TEST(Size, RefusesEverythingElse) {
    for (const std::string_view text : {"", "G", "-1", "1.5G", "4 G", "4GB", "4GiB", "4P", "16777216T",
                                        "18446744073709551616", "99999999999999999999999", "4G4M"}) {
        const auto read = parse_size(text);
        ASSERT_FALSE(read) << text << " became " << *read;
        EXPECT_THAT(read.error().detail(), testing::HasSubstr("is not a size: "));
    }
}

TEST(Size, IsWrittenSoThatItReadsBack) {
    const std::vector<std::pair<std::uint64_t, std::string_view>> cases{
        {0, "0"},          {1'000, "1000"},     {1'024, "1K"},       {1'536, "1536"},        {65'536, "64K"},
        {8U << 20U, "8M"}, {4ULL << 30U, "4G"}, {1ULL << 40U, "1T"}, {1ULL << 50U, "1024T"},
    };
    for (const auto& [bytes, text] : cases) {
        EXPECT_EQ(format_size(bytes), text);
        EXPECT_EQ(parse_size(format_size(bytes)), bytes);
    }
}

} // namespace
} // namespace tocsin
