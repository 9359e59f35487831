// SPDX-License-Identifier: Apache-2.0
#include "core/ports.hpp"

#include "core/json.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(ReportRow, KeysSortAsNumbers) {
    EXPECT_EQ(report_key(0x0102030405060708ULL), "\x01\x02\x03\x04\x05\x06\x07\x08");
    EXPECT_LT(report_key(255), report_key(256));
    EXPECT_LT(report_key(1), report_key(UINT64_MAX));
}

TEST(ReportRow, ComesBackWhole) {
    for (const std::int64_t id : {std::int64_t{-1}, std::int64_t{17}, INT64_MAX}) {
        const auto read = decode_report(encode_report(id, "https://example.org/r/17"));
        ASSERT_TRUE(read) << read.error().detail();
        EXPECT_EQ(read->first, id);
        EXPECT_EQ(read->second, "https://example.org/r/17");
    }
    EXPECT_EQ(decode_report(encode_report(-1, ""))->second, "");
}

TEST(ReportRow, DamageIsAnError) {
    const std::string good = encode_report(17, "");
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_FALSE(decode_report(good.substr(0, size))) << size;
    }
    std::string newer = good;
    newer[0] = 9;
    EXPECT_FALSE(decode_report(newer));
    EXPECT_FALSE(decode_report(good + std::string(limits::path_bytes + 1, 'x'))) << "longer than any url may be";
}

TEST(Status, IsDescribedWithTheNamesOfTheContract) {
    Status status;
    status.version = "1.0";
    status.hostname = "alpha";
    status.store_id = std::string(32, 'a');
    status.event_count = 3;
    status.first_index = 1;
    status.last_index = 3;
    status.store_bytes = 4096;
    status.intake_rate = 0.5;
    status.degraded = {"store: \"full\""};
    std::string text;
    json::append_object(text, status);
    EXPECT_EQ(text,
              R"({"version":"1.0","hostname":"alpha","store_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","event_count":3,)"
              R"("first_index":1,"last_index":3,"store_bytes":4096,"intake_rate":0.5,"degraded":["store: \"full\""]})");
}

} // namespace
} // namespace tocsin
