// SPDX-License-Identifier: Apache-2.0
// The second look at refused texts must agree with the first reader about what is wrong at all.
#include "core/json_impl.hpp"

#include <gmock/gmock.h>

#include <random>

namespace tocsin::json {
namespace {

using testing::HasSubstr;

constexpr std::string_view nothing_found = "cannot be read";

TEST(Diagnose, FindsNothingInWhatIsGood) {
    for (const std::string_view text :
         {"1", "-0", "0.5e-7", "1E+2", "\"\"", R"("\"\\\/\b\f\n\r\t\u00fc\ud83d\udd14")", "[]", "{}", "[[],{},[1,2]]",
          R"({"a":{"b":[true,false,null]},"c":-1.5})", " \t\r\n[ 1 , 2 ]\n", "18446744073709551615",
          "-9223372036854775808", "1e-400"}) {
        EXPECT_EQ(diagnose(text).reason, nothing_found) << text;
    }
}

TEST(Diagnose, TellsWhereAValueWithoutRoomIs) {
    const Fault fault = diagnose(R"([{"a":1},{"b":{"x":[1,2]},"payload":{"y":[1,{"z":99999999999999999999}]}}])");
    EXPECT_TRUE(fault.readable);
    EXPECT_EQ(fault.index, 1U);
    EXPECT_EQ(fault.field, "payload");
    EXPECT_EQ(fault.offset, 49U);

    const Fault outside = diagnose(R"([{"a":1},1e999])");
    EXPECT_TRUE(outside.readable);
    EXPECT_EQ(outside.index, 1U);
    EXPECT_EQ(outside.field, "");

    const Fault alone = diagnose(R"({"a":[1,2,{"b":3}],"c":1e999})");
    EXPECT_EQ(alone.index, 0U);
    EXPECT_EQ(alone.field, "c");
}

TEST(Diagnose, LongKeysAreCut) {
    const Fault fault = diagnose("{\"" + std::string(10'000, 'k') + "\":1e999}");
    EXPECT_EQ(fault.field, std::string(limits::name_bytes, 'k'));
}

TEST(Diagnose, UnreadableTextsGiveReasonAndOffset) {
    const Error error = unreadable("{\"a\":tru}");
    EXPECT_EQ(error.code, Code::invalid_argument);
    EXPECT_EQ(error.detail(), "the JSON has something that is no value, at byte 5");
}

// Ten thousand texts with one to three bytes changed, taken out or put in.
TEST(Diagnose, AgreesWithSimdjsonOnMutatedTexts) {
    const std::vector<std::string> seeds{
        R"({"event_name":"n","scid":-12,"payload":{"a":[1.5e3,true,null,"\u00fc\n"],"b":{}}})",
        R"([{"a":1},{"b":[[],[0,1,"x"]]},18446744073709551615,"\ud83d\udd14"])",
        "{\"k\":\"Grüße 日本\",\"t\":false}",
    };
    constexpr std::string_view alphabet = "{}[]:,\"\\0123456789-+.eEtrufalsn \n\t\x01\xC3\xED";
    std::mt19937 random(42);
    Document document;
    std::size_t refused = 0;
    for (int round = 0; round < 10'000; ++round) {
        std::string text = seeds[random() % seeds.size()];
        for (auto edits = random() % 3 + 1; edits > 0 && !text.empty(); --edits) {
            const std::size_t place = random() % text.size();
            const char c = alphabet[random() % alphabet.size()];
            const auto kind = random() % 3;
            if (kind == 0) {
                text[place] = c;
            } else if (kind == 1) {
                text.erase(place, 1);
            } else {
                text.insert(place, 1, c);
            }
        }
        const bool read = document.read(text).error() == simdjson::SUCCESS;
        const Fault fault = diagnose(text);
        ASSERT_EQ(read, fault.reason == nothing_found) << testing::PrintToString(text) << ": " << fault.reason;
        ASSERT_LE(fault.offset, text.size());
        refused += read ? 0 : 1;
    }
    EXPECT_GT(refused, 5'000U) << "the mutations must break most texts for this to mean anything";
}

// Cut anywhere, a text is unreadable, and reading beyond its end is what a sanitizer would see.
TEST(Diagnose, EveryTruncationIsFound) {
    const std::string whole = R"({"a":[1,-2.5e+3,true,null,"x\u00fc\ud83d\udd14"],"b":{"c":"d"}})";
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const std::string text = whole.substr(0, size);
        EXPECT_NE(diagnose(text).reason, nothing_found) << text;
        EXPECT_FALSE(diagnose(text).readable && text.find("\\ud83d") == std::string::npos) << text;
    }
}

} // namespace
} // namespace tocsin::json
