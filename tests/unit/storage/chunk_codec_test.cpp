// SPDX-License-Identifier: Apache-2.0
#include "core/hash.hpp"
#include "storage/bytes.hpp"
#include "storage/chunk_codec.hpp"
#include "storage/chunk_writer.hpp"
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

// As event() says it, without making one.
bool is_whole(const ChunkReader& reader, std::size_t row) {
    const auto stored = reader.stored(row);
    return stored && ((reader.columns().bits[row] & bits::origin) == 0 || reader.origin(stored->origin));
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
        EXPECT_EQ(is_whole(reader, row), event.has_value());
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

// ---- rows taken over ----

// Values of at most `rows` events, made of others of at most `chunk_rows`: by their codes, or event by event.
std::vector<std::string> regrouped(const std::vector<Event>& events, std::size_t chunk_rows, std::size_t rows,
                                   bool by_codes) {
    std::vector<std::string> out;
    ChunkWriter writer;
    ChunkReader reader;
    for (std::size_t from = 0; from < events.size(); from += chunk_rows) {
        const auto end = std::min(events.size(), from + chunk_rows);
        const std::string value = encode(
            {events.begin() + static_cast<std::ptrdiff_t>(from), events.begin() + static_cast<std::ptrdiff_t>(end)},
            1 + from);
        EXPECT_TRUE(reader.open(value, 1 + from) && reader.read_columns());
        writer.follow(reader);
        for (std::size_t row = 0; row < reader.count(); ++row) {
            if (writer.count() == rows) {
                out.emplace_back(writer.seal(1 + out.size() * rows));
            }
            by_codes ? writer.add(*reader.stored(row)) : writer.add(*reader.event(row));
        }
    }
    out.emplace_back(writer.seal(1 + out.size() * rows));
    return out;
}

TEST(ChunkCodec, TakesRowsOverToTheByte) {
    const auto events = random_events(11, 700);
    for (const std::size_t chunk_rows : {1U, 3U, 64U, 100U, 700U}) {
        for (const std::size_t rows : {1U, 7U, 64U, 700U}) {
            EXPECT_EQ(regrouped(events, chunk_rows, rows, true), regrouped(events, chunk_rows, rows, false))
                << chunk_rows << " to " << rows;
        }
    }
}

// Neighbours that have nothing in common, and the same text in different fields.
TEST(ChunkCodec, TakesOverRowsOfAnyShape) {
    Event bare;
    Event full = event("same", "same");
    full.environment = full.host = full.event_id = full.spark_script = full.event_rule = "same";
    full.summary = full.payload = full.idempotency_key = full.description = full.gem_full_path = std::string(300, 's');
    full.content_hash = full.cause.emplace(full.host_index.emplace(UINT64_MAX));
    full.cause_depth = UINT32_MAX;
    full.event_time_us = INT64_MIN;
    full.received_time_us = INT64_MAX;
    full.scid = full.event_rule_id.emplace(INT64_MIN);
    full.count = limits::count_max;
    full.event_type = EventType::dataset;
    full.origin = {.transport = "same", .uid = 0, .gid = UINT32_MAX, .pid = 1, .unit = "same", .executable = "same"};
    const std::vector<Event> events{bare, full, bare, event("other"), full, full, bare};
    for (const std::size_t chunk_rows : {1U, 2U, 7U}) {
        EXPECT_EQ(regrouped(events, chunk_rows, 3, true), regrouped(events, chunk_rows, 3, false));
    }
}

TEST(ChunkCodec, RowsTakenOverStayWithinTheBounds) {
    Event e = event("name");
    e.payload = std::string(5'000, 'x');
    const std::string value = encode(std::vector<Event>(13, e), 1);
    ChunkReader reader;
    ASSERT_TRUE(reader.open(value, 1) && reader.read_columns());
    ChunkWriter writer;
    writer.follow(reader);
    std::size_t added = 0;
    for (; writer.fits(*reader.stored(added % 13)); ++added) {
        writer.add(*reader.stored(added % 13));
    }
    EXPECT_EQ(added, 13U);
    EXPECT_LE(writer.seal(1).size(), chunk_bytes_max);
}

// A value that another writer could have made: strings that no row uses, one twice, and no name.
TEST(ChunkCodec, TakesOverWhatOurWriterWouldNotWrite) {
    std::string rows;
    for (const unsigned name : {4U, 2U, 0U}) {
        for (const unsigned number : {0U, 0U, 0U, name, 3U, 0U}) { // bits, times, name, source, length of the body
            put_varint(rows, number);
        }
    }
    std::string value{"\x01\x00\x00\x03--------", 12};
    for (const unsigned number : {0U, 0U, 0U, 4U}) { // times, strings
        put_varint(value, number);
    }
    for (const std::string& text :
         {std::string(2'000, 'u'), std::string("twice"), std::string(), std::string("twice")}) {
        put_string(value, text);
    }
    put_string(value, rows);
    sign(value, 1);
    ChunkReader reader;
    ASSERT_TRUE(reader.open(value, 1) && reader.read_columns());
    ChunkWriter writer;
    writer.follow(reader);
    for (std::size_t row = 0; row < 3; ++row) {
        writer.add(*reader.stored(row));
    }
    const std::string taken(writer.seal(1));
    EXPECT_LT(taken.size(), 100U) << "strings of no row were taken over";
    const auto wanted = decode(value, 1);
    const auto back = decode(taken, 1);
    ASSERT_TRUE(wanted && back);
    EXPECT_EQ(*back, *wanted);
    EXPECT_EQ(back->back().event_name, "");
}

} // namespace
} // namespace tocsin::storage::test
