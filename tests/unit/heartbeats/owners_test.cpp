// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/owners.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::heartbeats {
namespace {

Beat sent_by(std::optional<std::uint32_t> uid, std::string unit = "") {
    return Beat{.key = {"pump", 3}, .uid = uid, .unit = std::move(unit)};
}

TEST(Owners, WithoutOneAnybodyBeats) {
    Owners owners;
    owners.set({"pump", 3}, {});
    EXPECT_TRUE(owners.check(sent_by(std::nullopt)));
}

TEST(Owners, ByUser) {
    Owners owners;
    owners.set({"pump", 3}, {.uid = 1'000});
    EXPECT_TRUE(owners.check(sent_by(1'000)));
    const auto root = owners.check(sent_by(0));
    ASSERT_FALSE(root) << "root is another user";
    EXPECT_EQ(root.error().code, Code::not_authorized);
    EXPECT_EQ(root.error().object, "pump");
    EXPECT_THAT(root.error().reason, testing::HasSubstr("only uid 1000 may beat it, not uid 0"));
    EXPECT_FALSE(owners.check(sent_by(std::nullopt))) << "in doubt: no";
    Beat other = sent_by(0);
    other.key.scid = 4;
    EXPECT_TRUE(owners.check(other)) << "another watch";
    owners.clear();
    EXPECT_TRUE(owners.check(sent_by(0)));
}

TEST(Owners, ByUnit) {
    Owners owners;
    owners.set({"pump", 3}, {.unit = "pump.service"});
    EXPECT_TRUE(owners.check(sent_by(5, "pump.service")));
    EXPECT_FALSE(owners.check(sent_by(5, "tap.service")));
    EXPECT_FALSE(owners.check(sent_by(5)));
}

TEST(Owners, BothMustBeRight) {
    Owners owners;
    owners.set({"pump", 3}, {.uid = 5, .unit = "pump.service"});
    EXPECT_TRUE(owners.check(sent_by(5, "pump.service")));
    EXPECT_FALSE(owners.check(sent_by(6, "pump.service")));
    EXPECT_FALSE(owners.check(sent_by(5, "tap.service")));
}

} // namespace
} // namespace tocsin::heartbeats
