// SPDX-License-Identifier: Apache-2.0
// Postings against plain vectors: every coding gives its rows back, is the small one, and never believes nonsense.
#include "storage/posting.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace tocsin::storage::test {
namespace {

using Rows = std::vector<std::uint32_t>;

Rows members(const RowSet& set) {
    Rows out;
    for (auto row = set.at_or_after(0); row; row = set.at_or_after(*row + 1)) {
        out.push_back(*row);
    }
    return out;
}

std::string coded(const Rows& rows, std::uint32_t universe) {
    std::string out;
    std::string scratch;
    put_posting(out, rows, universe, scratch);
    return out;
}

void expect_same(const Rows& rows, std::uint32_t universe) {
    const std::string bytes = coded(rows, universe);
    EXPECT_LE(bytes.size(), (universe + 7) / 8 + 10);
    ByteReader in(bytes);
    const Posting posting = read_posting(in, universe);
    ASSERT_TRUE(in.done());
    EXPECT_EQ(posting.rows, rows.size());
    RowSet set(universe);
    ASSERT_TRUE(add_rows(posting, set));
    ASSERT_EQ(members(set), rows);
    EXPECT_EQ(set.count(), rows.size());
    Rows codes(universe, 0);
    ASSERT_TRUE(put_code(posting, 7, codes));
    for (std::uint32_t row = 0; row < universe; ++row) {
        ASSERT_EQ(codes[row], set.has(row) ? 7U : 0U) << row;
    }
    RowSet some(universe);
    std::uint32_t both = 0;
    for (std::uint32_t row = 0; row < universe; row += 3) {
        some.add(row);
        both += set.has(row) ? 1U : 0U;
    }
    EXPECT_EQ(count_rows(posting, some), both);
}

Rows random_rows(std::mt19937_64& random, std::uint32_t universe) {
    Rows rows;
    const std::uint64_t one_in = 1 + random() % 300;
    const bool runs = random() % 2 == 0;
    for (std::uint32_t row = 0; row < universe; ++row) {
        if (random() % one_in == 0) {
            for (std::uint64_t n = runs ? random() % 500 : 0;; --n) {
                rows.push_back(row);
                if (n == 0 || row + 1 == universe) {
                    break;
                }
                ++row;
            }
        }
    }
    return rows;
}

TEST(Posting, GivesItsRowsBack) {
    std::mt19937_64 random(5);
    for (const std::uint32_t universe : {1U, 7U, 8U, 63U, 64U, 65U, 1'000U, 65'536U, 90'001U}) {
        for (int round = 0; round < 30; ++round) {
            ASSERT_NO_FATAL_FAILURE(expect_same(random_rows(random, universe), universe)) << universe;
        }
        Rows all(universe);
        for (std::uint32_t row = 0; row < universe; ++row) {
            all[row] = row;
        }
        expect_same(all, universe);
        EXPECT_LE(coded(all, universe).size(), 8U);
        expect_same({universe - 1}, universe);
    }
}

TEST(Posting, TakesTheSmallCoding) {
    const std::uint32_t universe = 65'536;
    EXPECT_LE(coded({0, 1'000, 40'000}, universe).size(), 9U);
    Rows every_third;
    for (std::uint32_t row = 0; row < universe; row += 3) {
        every_third.push_back(row);
    }
    EXPECT_LE(coded(every_third, universe).size(), universe / 8 + 4);
}

TEST(Posting, NonsenseIsSeen) {
    std::mt19937_64 random(6);
    for (int round = 0; round < 3'000; ++round) {
        const std::uint32_t universe = 1 + static_cast<std::uint32_t>(random() % 3'000);
        std::string bytes = coded(random_rows(random, universe), universe);
        bytes[random() % bytes.size()] = static_cast<char>(random());
        bytes.resize(bytes.size() - random() % 2);
        ByteReader in(bytes);
        const Posting posting = read_posting(in, universe);
        RowSet set(universe);
        Rows codes(set.rows(), 0);
        ASSERT_EQ(in.ok() && put_code(posting, 1, codes), in.ok() && add_rows(posting, set));
        if (in.ok() && add_rows(posting, set)) { // may be sound by chance: then within the block
            EXPECT_LE(set.count(), universe);
        }
    }
}

TEST(RowSet, FindsNeighboursAndRanges) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 200; ++round) {
        const auto rows = static_cast<std::uint32_t>(1 + random() % 300);
        RowSet set(rows, random() % 2 == 0);
        std::vector<bool> plain(rows, set.has(0));
        for (int step = 0; step < 5; ++step) {
            const auto low = static_cast<std::uint32_t>(random() % rows);
            const auto high = static_cast<std::uint32_t>(low + random() % (rows - low + 1));
            const bool add = random() % 2 == 0;
            add ? set.add_range(low, high) : set.remove_range(low, high);
            std::fill(plain.begin() + low, plain.begin() + high, add);
        }
        for (std::uint32_t row = 0; row < rows; ++row) {
            ASSERT_EQ(set.has(row), plain[row]);
            std::optional<std::uint32_t> after;
            std::optional<std::uint32_t> before;
            for (std::uint32_t at = row; at < rows && !after; ++at) {
                after = plain[at] ? std::optional(at) : after;
            }
            for (std::uint32_t at = row + 1; at-- > 0 && !before;) {
                before = plain[at] ? std::optional(at) : before;
            }
            ASSERT_EQ(set.at_or_after(row), after);
            ASSERT_EQ(set.at_or_before(row), before);
        }
        EXPECT_FALSE(set.at_or_after(rows));
    }
}

} // namespace
} // namespace tocsin::storage::test
