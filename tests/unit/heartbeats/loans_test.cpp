// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/loans.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::heartbeats {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const WatchKey a{"a", 0};
const WatchKey b{"b", 0};

TEST(Loans, WhatWasNotTouchedIsForgotten) {
    Loans loans;
    loans.lend(a, 0);
    EXPECT_EQ(loans.next_boot_us(), Loans::loan_us) << "so that its room is given back";
    EXPECT_THAT(loans.ended(Loans::loan_us), IsEmpty());
    EXPECT_EQ(loans.size(), 0U);
}

TEST(Loans, WhatWasTouchedComesBackOnce) {
    Loans loans;
    loans.lend(a, 0);
    loans.lend(b, 5);
    loans.touch(b);
    loans.touch(b);
    loans.touch({"c", 0});
    EXPECT_EQ(loans.next_boot_us(), Loans::loan_us);
    EXPECT_THAT(loans.ended(Loans::loan_us + 4), IsEmpty());
    EXPECT_EQ(loans.next_boot_us(), Loans::loan_us + 5);
    EXPECT_THAT(loans.ended(Loans::loan_us + 5), ElementsAre(b));
    EXPECT_EQ(loans.next_boot_us(), std::nullopt);
}

TEST(Loans, LentAgainLastsLonger) {
    Loans loans;
    loans.lend(a, 0);
    loans.touch(a);
    loans.lend(a, 100);
    EXPECT_THAT(loans.ended(Loans::loan_us), IsEmpty());
    EXPECT_EQ(loans.next_boot_us(), Loans::loan_us + 100);
    EXPECT_THAT(loans.ended(Loans::loan_us + 100), ElementsAre(a));
    EXPECT_EQ(loans.size(), 0U);
}

} // namespace
} // namespace tocsin::heartbeats
