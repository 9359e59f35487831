// SPDX-License-Identifier: Apache-2.0
#include "core/hash.hpp"
#include "storage/bytes.hpp"
#include "storage/chunk_codec.hpp"
#include "tests/unit/storage/support.hpp"

#include <gtest/gtest.h>

namespace tocsin::storage::test {
namespace {

std::vector<Event> random_events(std::uint64_t seed, std::size_t count) {
    std::mt19937_64 random(seed);
    std::vector<Event> events;
    for (std::size_t i = 0; i < count; ++i) {
        events.push_back(random_event(random, i));
        if (random() % 3 == 0) {
            events.back().idempotency_key = "key-" + std::to_string(random() % 100);
            events.back().content_hash = random();
        }
    }
    return events;
}

std::string encode(const std::vector<Event>& events, std::uint64_t first) {
    ChunkWriter writer;
    for (const Event& event : events) {
        writer.add(event);
    }
    return std::string(writer.seal(first));
}

Result<std::vector<Event>> decode(std::string_view value, std::uint64_t first) {
    ChunkReader reader;
    if (auto opened = reader.open(value, first); !opened) {
        return std::unexpected(opened.error());
    }
    if (auto read = reader.read_columns(); !read) {
        return std::unexpected(read.error());
    }
    std::vector<Event> events;
    for (std::size_t row = 0; row < reader.count(); ++row) {
        auto event = reader.event(row);
        if (!event) {
            return std::unexpected(event.error());
        }
        events.push_back(std::move(*event));
    }
    return events;
}

// Puts the right checksum on changed bytes, so that what lies behind it is tried.
void sign(std::string& value, std::uint64_t first) {
    const std::string_view whole = value;
    const std::uint64_t sum = hash64(whole.substr(12), hash_mix(first, hash64(whole.substr(0, 4))));
    std::string bytes;
    put_fixed(bytes, sum);
    value.replace(4, 8, bytes);
}

TEST(ChunkCodec, GivesBackEveryField) {
    const auto events = random_events(7, 300);
    const std::string value = encode(events, 41);
    const auto back = decode(value, 41);
    ASSERT_TRUE(back) << back.error().detail();
    ASSERT_EQ(back->size(), events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
        Event wanted = events[i];
        wanted.unique_index = 41 + i;
        EXPECT_EQ((*back)[i], wanted) << i;
    }
}

TEST(ChunkCodec, KeepsExtremeNumbers) {
    Event e = event("n");
    e.event_time_us = INT64_MIN;
    e.received_time_us = INT64_MAX;
    e.scid = INT64_MIN;
    e.event_rule_id = INT64_MAX;
    e.count = limits::count_max;
    e.content_hash = UINT64_MAX;
    e.cause = UINT64_MAX;
    e.cause_depth = UINT32_MAX;
    e.host_index = UINT64_MAX;
    e.origin.uid = UINT32_MAX;
    Event other = e;
    other.event_time_us = INT64_MAX;
    other.event_rule_id = 0;
    const auto back = decode(encode({e, other}, 1), 1);
    ASSERT_TRUE(back) << back.error().detail();
    e.unique_index = 1;
    other.unique_index = 2;
    EXPECT_EQ((*back)[0], e);
    EXPECT_EQ((*back)[1], other);
}

TEST(ChunkCodec, StaysWithinItsBounds) {
    ChunkWriter writer;
    Event e = event("name");
    e.payload = R"({"text":")" + std::string(900, 'x') + "\"}";
    std::size_t added = 0;
    for (; writer.fits(e); ++added) {
        writer.add(e);
    }
    EXPECT_GT(added, 50U);
    EXPECT_LE(writer.seal(1).size(), chunk_bytes_max);

    Event small = event("name");
    for (added = 0; writer.fits(small); ++added) {
        writer.add(small);
    }
    EXPECT_EQ(added, rows_per_chunk);
    EXPECT_LT(writer.seal(1).size(), rows_per_chunk * 10) << "repeated strings are not stored once";
}

TEST(ChunkCodec, TakesALargeEventAlone) {
    Event e = event("large");
    e.payload = R"({"a":")" + std::string(200'000, 'y') + "\"}";
    ChunkWriter writer;
    ASSERT_TRUE(writer.fits(e));
    writer.add(e);
    EXPECT_FALSE(writer.fits(event("next")));
    const auto back = decode(std::string(writer.seal(9)), 9);
    ASSERT_TRUE(back);
    EXPECT_EQ((*back)[0].payload, e.payload);
}

TEST(ChunkCodec, IsEmptyAgainAfterSealAndClear) {
    ChunkWriter writer;
    writer.add(event("first", "a"));
    writer.clear();
    EXPECT_TRUE(writer.empty());
    writer.add(event("second", "b"));
    const auto back = decode(std::string(writer.seal(5)), 5);
    ASSERT_TRUE(back);
    ASSERT_EQ(back->size(), 1U);
    EXPECT_EQ((*back)[0].event_name, "second");
    EXPECT_TRUE(writer.empty());
}

TEST(ChunkCodec, NoticesEveryFlippedByte) {
    const std::string value = encode(random_events(3, 5), 17);
    for (std::size_t at = 0; at < value.size(); ++at) {
        for (const char flip : {'\x01', '\x80', '\xff'}) {
            std::string broken = value;
            broken[at] = static_cast<char>(broken[at] ^ flip);
            EXPECT_FALSE(decode(broken, 17)) << "byte " << at;
        }
    }
}

TEST(ChunkCodec, NoticesAWrongPlaceAndAWrongLength) {
    const std::string value = encode(random_events(3, 5), 17);
    EXPECT_FALSE(decode(value, 18));
    for (std::size_t size = 0; size < value.size(); ++size) {
        EXPECT_FALSE(decode(std::string_view(value).substr(0, size), 17));
    }
    EXPECT_FALSE(decode(value + "x", 17));
}

TEST(ChunkCodec, SaysThatAnUnknownFormatIsNotDamage) {
    std::string value = encode({event("n")}, 1);
    value[0] = 9;
    const auto back = decode(value, 1);
    ASSERT_FALSE(back);
    EXPECT_NE(back.error().reason.find("not known to this version"), std::string::npos) << back.error().reason;
}

// Bytes that lie with a right checksum: an error or some event, never a crash (run under ASan and UBSan).
TEST(ChunkCodec, SurvivesLiesBehindARightChecksum) {
    std::mt19937_64 random(99);
    const std::string value = encode(random_events(5, 40), 3);
    std::size_t refused = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string lie = value;
        for (std::uint64_t n = 1 + random() % 4; n > 0; --n) {
            lie[2 + random() % (lie.size() - 2)] = static_cast<char>(random());
        }
        if (random() % 8 == 0) {
            lie.resize(12 + random() % (lie.size() - 12));
        }
        sign(lie, 3);
        refused += decode(lie, 3) ? 0U : 1U;
    }
    EXPECT_GT(refused, 5'000U);
    std::string same = value;
    sign(same, 3);
    EXPECT_EQ(same, value);
}

} // namespace
} // namespace tocsin::storage::test
