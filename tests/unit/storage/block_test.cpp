// SPDX-License-Identifier: Apache-2.0
// A sealed block against the events it was made of: every dimension, time, sum and record, hostile ones too, and that a
// flipped bit anywhere is found.
#include "storage/block_build.hpp"
#include "storage/weights.hpp"
#include "tests/unit/storage/support.hpp"

#include <gmock/gmock.h>

#include <map>
#include <set>

namespace tocsin::storage::test {
namespace {

constexpr std::uint64_t first_index = 7'000;

std::optional<std::string> value_of(const Event& e, Dimension dimension) {
    switch (dimension) {
    case Dimension::name:
        return e.event_name;
    case Dimension::source:
        return e.event_src;
    case Dimension::scid:
        return number_value(e.scid);
    case Dimension::rule:
        return e.event_rule_id ? std::optional(number_value(*e.event_rule_id)) : std::nullopt;
    case Dimension::severity:
        return small_value(static_cast<std::uint8_t>(e.severity));
    case Dimension::environment:
        return e.environment;
    case Dimension::type:
        return small_value(static_cast<std::uint8_t>(e.event_type));
    case Dimension::dataset:
        return e.event_id;
    case Dimension::host:
        return e.host;
    case Dimension::script:
        return small_value(e.spark_script.empty() ? 0 : 1);
    case Dimension::hour:
        return hour_value(hour_of(e.event_time_us));
    case Dimension::uid:
        return e.origin.uid ? std::optional(uid_value(*e.origin.uid)) : std::nullopt;
    }
    return std::nullopt;
}

std::vector<Event> plain_events(std::uint64_t count) {
    std::mt19937_64 random(count);
    std::vector<Event> out;
    for (std::uint64_t i = 0; i < count; ++i) {
        out.push_back(random_event(random, i));
        out.back().unique_index = first_index + i;
    }
    return out;
}

// Many values, values of every length and byte, times from end to end.
std::vector<Event> hostile_events(std::uint64_t count) {
    std::mt19937_64 random(count);
    std::vector<Event> out = plain_events(count);
    for (Event& e : out) {
        const auto text = [&random](std::size_t longest) {
            std::string bytes(random() % (longest + 1), 'x');
            for (char& byte : bytes) {
                byte = random() % 3 == 0 ? static_cast<char>(random()) : 'x';
            }
            return bytes;
        };
        e.event_name = text(dictionary_value_max);
        e.event_src = "s" + std::to_string(random());
        e.scid = static_cast<std::int64_t>(random());
        e.environment = text(3);
        e.event_rule_id = random() % 2 == 0 ? std::optional(static_cast<std::int64_t>(random() % 9) - 4) : std::nullopt;
        e.count = 1 + random() % limits::count_max;
        e.event_time_us = random() % 4 == 0 ? static_cast<std::int64_t>(random()) : e.event_time_us;
        e.received_time_us = random() % 4 == 0 ? static_cast<std::int64_t>(random()) : e.received_time_us;
        e.payload = random() % 50 == 0 ? std::string(limits::payload_bytes, 'p') : text(60);
    }
    return out;
}

class BlockTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::error_code error;
        std::filesystem::create_directories(directory.path(), error);
        auto opened = Env::open({.directory = directory.path()});
        ASSERT_TRUE(opened);
        env = std::move(*opened);
        ASSERT_TRUE(env->open_trees());
    }

    void write(std::vector<Event> made) {
        events = std::move(made);
        place = {first_index, static_cast<std::uint32_t>(events.size())};
        BlockBuilder builder(place);
        for (const Event& e : events) {
            ASSERT_TRUE(builder.add(e));
            std::ranges::move(builder.take(), std::back_inserter(rows));
        }
        builder.finish();
        std::ranges::move(builder.take(), std::back_inserter(rows));
        ASSERT_NO_FATAL_FAILURE(store());
    }

    // The same of chunks of the log, up to so many events each.
    std::vector<SealedRow> of_chunks(std::size_t longest) const {
        BlockBuilder builder(place);
        std::vector<SealedRow> out;
        ChunkWriter writer;
        ChunkReader reader;
        const auto hand_in = [&builder, &out, &writer, &reader] {
            const std::uint64_t first = first_index + builder.rows();
            const std::string value(writer.seal(first));
            EXPECT_TRUE(reader.open(value, first) && reader.read_columns() && builder.add(reader));
            std::ranges::move(builder.take(), std::back_inserter(out));
        };
        for (const Event& e : events) {
            if (writer.count() == longest || !writer.fits(e)) {
                hand_in();
            }
            writer.add(e);
        }
        hand_in();
        builder.finish();
        std::ranges::move(builder.take(), std::back_inserter(out));
        return out;
    }

    void store() {
        std::optional<Txn> txn;
        ASSERT_EQ(Txn::write(*env, txn), 0);
        std::set<std::pair<Tree, std::string>> keys;
        for (const SealedRow& row : rows) {
            EXPECT_TRUE(keys.emplace(row.tree, row.key).second) << "two values under one key";
            const bool alone = row.tree == Tree::records && row.value.size() > sealed_bytes_max;
            EXPECT_TRUE(row.value.size() <= sealed_bytes_max || alone);
            ASSERT_EQ(txn->put(row.tree, row.key, row.value), 0);
        }
        ASSERT_EQ(txn->commit(), 0);
    }

    void forget() {
        std::optional<Txn> txn;
        ASSERT_EQ(Txn::write(*env, txn), 0);
        for (const SealedRow& row : std::exchange(rows, {})) {
            ASSERT_EQ(txn->erase(row.tree, row.key), 0);
        }
        ASSERT_EQ(txn->commit(), 0);
    }

    // Everything read back and compared; false at the first error, which any damage must lead to.
    bool whole(const Txn& txn) {
        const auto header = read_header(txn, first_index);
        return header && same_dictionaries(txn, *header) && same_times(txn, *header) && same_records(txn) &&
               same_weights(txn);
    }

    bool same_weights(const Txn& txn) {
        Weights wanted;
        for (std::uint32_t row = 0; row < events.size(); ++row) {
            if (events[row].count != 1) {
                wanted.emplace_back(row, events[row].count);
            }
        }
        const auto read = read_weights(txn, first_index);
        return read && *read == wanted;
    }

    bool same_dictionaries(const Txn& txn, const BlockHeader& header) {
        for (std::size_t d = 0; d < dimensions.size(); ++d) {
            std::map<std::string, std::vector<std::uint32_t>> wanted;
            for (std::uint32_t row = 0; row < events.size(); ++row) {
                if (const auto value = value_of(events[row], dimensions[d])) {
                    wanted[*value].push_back(row);
                }
            }
            EXPECT_EQ(header.cardinality[d], wanted.size());
            DictionaryReader reader(txn, place, dimensions[d]);
            auto there = reader.seek({});
            std::uint32_t ordinal = 0;
            for (const auto& [value, members] : wanted) {
                if (!there || !*there) {
                    return false;
                }
                EXPECT_EQ(reader.value(), value);
                EXPECT_EQ(reader.ordinal(), ordinal);
                RowSet set(place.rows);
                RowSet same(place.rows);
                std::ranges::for_each(members, [&same](std::uint32_t row) { same.add(row); });
                if (!add_rows(reader.posting(), set)) {
                    return false;
                }
                EXPECT_TRUE(set.count() == members.size() && (set &= same).count() == members.size());
                if (!same_sums(txn, dimensions[d], ordinal++, members)) {
                    return false;
                }
                there = reader.next();
            }
            if (!there || *there) {
                return false;
            }
        }
        return true;
    }

    bool same_sums(const Txn& txn, Dimension dimension, std::uint32_t ordinal,
                   const std::vector<std::uint32_t>& members) {
        if (ordinal > 9 && ordinal % sums_step != 0) {
            return true;
        }
        std::map<std::uint32_t, std::uint64_t> wanted;
        for (const std::uint32_t row : members) {
            wanted[hour_of(events[row].event_time_us)] += events[row].count;
        }
        const auto sums = read_sums(txn, first_index, dimension, ordinal);
        if (!sums) {
            return false;
        }
        return *sums == HourSums(wanted.begin(), wanted.end());
    }

    bool same_times(const Txn& txn, const BlockHeader& header) {
        EXPECT_EQ(header.rows, events.size());
        TimeReader times(txn, first_index, header);
        for (std::uint32_t row = 0; row < events.size(); ++row) {
            const auto at = times.at(row);
            if (!at) {
                return false;
            }
            EXPECT_EQ(*at, events[row].event_time_us);
            const TimeRun& run = header.runs[row / rows_per_run];
            EXPECT_TRUE(run.min_received_us <= events[row].received_time_us &&
                        run.max_received_us >= events[row].received_time_us);
            const bool apart = std::ranges::binary_search(header.outliers, row, {}, &Outlier::row);
            EXPECT_TRUE(apart || (run.min_us <= *at && *at <= run.max_us));
        }
        return true;
    }

    bool same_records(const Txn& txn) {
        Cursor cursor(txn, Tree::records);
        ChunkReader chunk;
        std::string space;
        for (const Event& e : events) {
            if (!chunk.holds(e.unique_index)) {
                const auto found = cursor.at_or_before(index_key(e.unique_index));
                if (!found || !*found) {
                    return false;
                }
                const auto opened = open_group((*found)->key, (*found)->value, e.unique_index, space, chunk);
                if (!opened || !*opened || !chunk.read_columns()) {
                    return false;
                }
            }
            const auto event = chunk.event(static_cast<std::size_t>(e.unique_index - chunk.first()));
            if (!event) {
                return false;
            }
            EXPECT_TRUE(*event == e) << e.unique_index;
        }
        return true;
    }

    Directory directory;
    std::unique_ptr<Env> env;
    std::vector<Event> events;
    BlockPlace place;
    std::vector<SealedRow> rows;
    std::uint32_t sums_step = 1;
};

TEST_F(BlockTest, HoldsPlainEvents) {
    ASSERT_NO_FATAL_FAILURE(write(plain_events(2'500)));
    EXPECT_TRUE(whole(*Txn::read(*env)));
}

TEST_F(BlockTest, HoldsOneEvent) {
    ASSERT_NO_FATAL_FAILURE(write(plain_events(1)));
    EXPECT_TRUE(whole(*Txn::read(*env)));
}

TEST_F(BlockTest, HoldsHostileEvents) {
    ASSERT_NO_FATAL_FAILURE(write(hostile_events(2'000)));
    sums_step = 37;
    EXPECT_TRUE(whole(*Txn::read(*env)));
}

TEST_F(BlockTest, IsTheSameOfChunksToTheByte) {
    ASSERT_NO_FATAL_FAILURE(write(plain_events(2'500)));
    for (const std::size_t longest : {1U, 3U, 64U, 700U, 1'024U}) {
        EXPECT_EQ(of_chunks(longest), rows) << longest;
    }
}

// Records are cut elsewhere, as their room is not reckoned to the byte.
TEST_F(BlockTest, HoldsHostileEventsOfChunks) {
    ASSERT_NO_FATAL_FAILURE(write(hostile_events(2'000)));
    const auto indexes = [](std::vector<SealedRow> all) {
        std::erase_if(all, [](const SealedRow& row) { return row.tree == Tree::records; });
        return all;
    };
    auto made = of_chunks(1'024);
    EXPECT_EQ(indexes(made), indexes(rows));
    ASSERT_NO_FATAL_FAILURE(forget());
    rows = std::move(made);
    ASSERT_NO_FATAL_FAILURE(store());
    sums_step = 37;
    EXPECT_TRUE(whole(*Txn::read(*env)));
}

// Where all are of one hour and count 1, sums need no look at the rows; one event is enough to need it.
TEST_F(BlockTest, SumsOfOneHour) {
    for (const int odd : {0, 1, 2}) {
        std::vector<Event> made = plain_events(500);
        for (Event& e : made) {
            e.event_time_us = now_us - now_us % hour_us;
            e.count = 1;
        }
        made[250].count = odd == 1 ? 2 : 1;
        made[250].event_time_us += odd == 2 ? hour_us : 0;
        ASSERT_NO_FATAL_FAILURE(write(std::move(made)));
        EXPECT_TRUE(whole(*Txn::read(*env))) << odd;
        ASSERT_NO_FATAL_FAILURE(forget());
    }
}

TEST_F(BlockTest, FindsValuesAndTheNextOne) {
    ASSERT_NO_FATAL_FAILURE(write(hostile_events(600)));
    std::set<std::string> names;
    for (const Event& e : events) {
        names.insert(e.event_name);
    }
    const auto txn = Txn::read(*env);
    DictionaryReader reader(*txn, place, Dimension::name);
    for (const std::string& name : names) {
        for (const std::string& asked : {name, name + '\0', name.substr(0, name.size() / 2), name + "zz"}) {
            const auto wanted = names.lower_bound(asked);
            const auto there = reader.seek(asked);
            ASSERT_TRUE(there);
            ASSERT_EQ(*there, wanted != names.end());
            if (*there) {
                ASSERT_EQ(reader.value(), *wanted);
            }
        }
    }
}

TEST_F(BlockTest, SumsOfOneValueMayFillManyParts) {
    std::vector<Event> made = plain_events(5'000);
    sums_step = 100;
    for (std::size_t i = 0; i < made.size(); ++i) {
        made[i].event_time_us = static_cast<std::int64_t>((i * 7'919) % 400'000) * hour_us; // an hour each
        made[i].event_name = i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c";
    }
    ASSERT_NO_FATAL_FAILURE(write(std::move(made)));
    EXPECT_TRUE(whole(*Txn::read(*env)));
}

TEST_F(BlockTest, KeepsLateRowsOutOfTheRange) {
    std::vector<Event> made = plain_events(2'048);
    for (std::size_t i = 0; i < made.size(); ++i) {
        made[i].event_time_us = now_us + static_cast<std::int64_t>(i) * 1'000;
    }
    made[1'500].event_time_us = now_us - 30 * 24 * hour_us;
    made[1'501].event_time_us = now_us + 20 * hour_us;
    ASSERT_NO_FATAL_FAILURE(write(std::move(made)));
    const auto header = read_header(*Txn::read(*env), first_index);
    ASSERT_TRUE(header);
    ASSERT_EQ(header->outliers.size(), 2U);
    EXPECT_EQ(header->outliers[0].row, 1'500U);
    EXPECT_LT(header->runs[1].max_us - header->runs[1].min_us, 2'000'000);
    EXPECT_TRUE(whole(*Txn::read(*env)));
}

TEST_F(BlockTest, AFlippedBitIsFound) {
    ASSERT_NO_FATAL_FAILURE(write(plain_events(300)));
    std::mt19937_64 random(3);
    for (const SealedRow& row : rows) {
        for (int round = 0; round < 4; ++round) {
            std::string value = row.value;
            value[random() % value.size()] ^= static_cast<char>(1U << (random() % 7));
            std::optional<Txn> txn;
            ASSERT_EQ(Txn::write(*env, txn), 0);
            ASSERT_EQ(txn->put(row.tree, row.key, value), 0);
            EXPECT_FALSE(whole(*txn));
        } // what was not committed is undone
    }
    EXPECT_TRUE(whole(*Txn::read(*env)));
}

TEST_F(BlockTest, RefusesWhatDoesNotFollow) {
    BlockBuilder builder({first_index, 2});
    Event e = event("n");
    e.unique_index = first_index + 1;
    EXPECT_FALSE(builder.add(e));
    e.unique_index = first_index;
    e.host = std::string(256, 'h');
    const auto refused = builder.add(e);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail(), ::testing::HasSubstr("event 7000"));
}

TEST_F(BlockTest, RefusesAChunkThatDoesNotFollow) {
    const auto refusal = [](std::uint64_t first, const Event& second) {
        ChunkWriter writer;
        writer.add(event("n"));
        writer.add(second);
        const std::string value(writer.seal(first));
        ChunkReader reader;
        EXPECT_TRUE(reader.open(value, first) && reader.read_columns());
        BlockBuilder small({first_index, 1});
        EXPECT_FALSE(small.add(reader)) << "more rows than the block has";
        const auto added = BlockBuilder({first_index, 2}).add(reader);
        return added ? std::string() : added.error().detail();
    };
    EXPECT_EQ(refusal(first_index, event("n")), "");
    EXPECT_THAT(refusal(first_index + 1, event("n")), ::testing::HasSubstr("does not belong here"));
    Event e = event("n");
    e.description = e.spark_script = std::string(dictionary_value_max + 1, 'd'); // is in no dictionary
    EXPECT_EQ(refusal(first_index, e), "");
    e.host = std::string(dictionary_value_max + 1, 'h');
    EXPECT_THAT(refusal(first_index, e), ::testing::HasSubstr("event 7001"));
}

} // namespace
} // namespace tocsin::storage::test
