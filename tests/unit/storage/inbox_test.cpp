// SPDX-License-Identifier: Apache-2.0
#include "storage/inbox.hpp"
#include "tests/unit/storage/support.hpp"

#include <gmock/gmock.h>

namespace tocsin::storage::test {
namespace {

using ::testing::ElementsAre;

Op plain(std::string name, std::size_t events = 1) {
    Op op;
    op.events.assign(events, event(std::move(name)));
    return op;
}

Op with_row(std::string name, bool effect) {
    Op op = plain(std::move(name));
    op.effect = effect;
    op.rows.push_back({Table::watches, "w", "v"});
    return op;
}

std::vector<std::string> names(const Inbox::Work& work) {
    std::vector<std::string> out;
    out.reserve(work.ops.size());
    for (const Op& op : work.ops) {
        out.push_back(op.events.at(0).event_name);
    }
    return out;
}

std::optional<Error> push(Inbox& inbox, Op op) {
    return inbox.push(op);
}

TEST(Inbox, LetsEffectsPassPlainEventsOnly) {
    Inbox inbox;
    ASSERT_FALSE(push(inbox, plain("client-1")));
    ASSERT_FALSE(push(inbox, plain("client-2")));
    ASSERT_FALSE(push(inbox, with_row("effect-1", true)));
    EXPECT_THAT(names(*inbox.take({})), ElementsAre("effect-1", "client-1", "client-2"));

    ASSERT_FALSE(push(inbox, plain("client-1")));
    ASSERT_FALSE(push(inbox, with_row("beat", false)));
    ASSERT_FALSE(push(inbox, plain("client-2")));
    ASSERT_FALSE(push(inbox, with_row("effect-1", true)));
    EXPECT_THAT(names(*inbox.take({})), ElementsAre("effect-1", "client-1", "beat", "client-2"))
        << "a client's events must not change places, whatever is among them";
}

Op row_of(std::uint64_t uid, std::string value, bool effect = false) {
    Op op = with_row(value, effect);
    op.owner.uid = uid;
    op.rows.at(0).value = std::move(value);
    return op;
}

std::vector<std::string> values(const Inbox::Work& work) {
    std::vector<std::string> out;
    out.reserve(work.ops.size());
    for (const Op& op : work.ops) {
        out.push_back(op.rows.at(0).value.value_or("deleted"));
    }
    return out;
}

TEST(Inbox, WritesTheNewestStateOfARowWhateverTheOrder) {
    Inbox inbox;
    ASSERT_FALSE(push(inbox, row_of(1, "beat-1")));
    ASSERT_FALSE(push(inbox, row_of(2, "beat-2")));
    ASSERT_FALSE(push(inbox, row_of(0, "effect-3", true)));
    ASSERT_FALSE(push(inbox, row_of(1, "beat-4")));
    EXPECT_THAT(values(*inbox.take({})), ElementsAre("effect-3", "effect-3", "effect-3", "beat-4"))
        << "a row went back to an older state";

    ASSERT_FALSE(push(inbox, row_of(1, "beat-5")));
    Op gone = row_of(0, "effect-6", true);
    gone.rows.at(0).value.reset();
    ASSERT_FALSE(push(inbox, std::move(gone)));
    EXPECT_THAT(values(*inbox.take({})), ElementsAre("deleted", "deleted")) << "a forgotten watch came back";

    ASSERT_FALSE(push(inbox, row_of(1, "beat-7")));
    EXPECT_EQ(inbox.rows_watched(), 1U);
    EXPECT_THAT(values(*inbox.take({})), ElementsAre("beat-7"));
    EXPECT_EQ(inbox.rows_watched(), 0U) << "what is over is forgotten";
}

TEST(Inbox, IsBoundedForEachKind) {
    Inbox inbox;
    ASSERT_FALSE(push(inbox, plain("many", 60'000)));
    const auto refused = push(inbox, plain("more", 10'000));
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code, Code::unavailable);
    EXPECT_EQ(refused->retry_after_s, 1U);
    EXPECT_FALSE(push(inbox, with_row("effect", true))) << "clients shut an effect out";
    EXPECT_FALSE(push(inbox, plain("few", 1'000)));
    EXPECT_GE(inbox.queued_events(), 61'001U);

    Inbox bytes;
    Op large = plain("large", 300);
    for (Event& e : large.events) {
        e.payload = std::string(limits::payload_bytes, 'x');
    }
    std::size_t taken = 0;
    while (!push(bytes, plain("x"))) {
        Op copy;
        copy.events = large.events;
        if (bytes.push(copy)) {
            break;
        }
        ++taken;
    }
    EXPECT_GE(taken, 2U);
    EXPECT_LE(taken, 4U);
}

Op of_user(std::uint64_t uid, std::size_t events) {
    Op op = plain("user-" + std::to_string(uid), events);
    op.owner.uid = uid;
    return op;
}

TEST(Inbox, KeepsRoomForOthers) {
    Inbox inbox;
    ASSERT_FALSE(push(inbox, of_user(1, 60'000)));
    const auto full = push(inbox, of_user(1, 10'000));
    ASSERT_TRUE(full);
    EXPECT_EQ(full->code, Code::unavailable) << "alone it is the disk that is too slow";

    EXPECT_FALSE(push(inbox, of_user(2, 20'000))) << "a flood shut another user out";
    EXPECT_FALSE(push(inbox, of_user(3, 10'000)));
    const auto share = push(inbox, of_user(1, 1));
    ASSERT_TRUE(share);
    EXPECT_EQ(share->code, Code::limit_exceeded);
    EXPECT_EQ(share->retry_after_s, 1U);
    EXPECT_THAT(share->detail(), ::testing::HasSubstr("60000 of your events"));

    while (inbox.queued_events() > 0) {
        inbox.take({});
        inbox.served();
    }
    EXPECT_FALSE(push(inbox, of_user(1, 60'000)));
}

TEST(Inbox, HandsOutNoMoreThanACommitHolds) {
    Inbox inbox;
    for (int i = 0; i < 6; ++i) {
        ASSERT_FALSE(push(inbox, plain("op-" + std::to_string(i), 9'000)));
    }
    EXPECT_EQ(inbox.take({})->ops.size(), 2U);
    EXPECT_EQ(inbox.take({})->ops.size(), 2U);
    EXPECT_EQ(inbox.take({})->ops.size(), 2U);
    EXPECT_EQ(inbox.queued_events(), 0U);
    ASSERT_FALSE(push(inbox, plain("huge", 60'000)));
    EXPECT_EQ(inbox.take({})->ops.size(), 1U) << "one operation is always taken";
}

TEST(Inbox, GivesWhatIsThereAfterClosingThenEnds) {
    Inbox inbox;
    ASSERT_FALSE(push(inbox, plain("last")));
    inbox.close();
    EXPECT_TRUE(push(inbox, plain("late")));
    EXPECT_THAT(names(*inbox.take({})), ElementsAre("last"));
    EXPECT_FALSE(inbox.take({}));
}

TEST(Inbox, PatienceEnds) {
    Inbox inbox;
    const auto work = inbox.take(std::chrono::milliseconds(1));
    ASSERT_TRUE(work);
    EXPECT_TRUE(work->ops.empty());
}

TEST(Inbox, LetsAPatientEffectGoAlongWithOthers) {
    using std::chrono::milliseconds;
    Inbox inbox;
    const auto patient = [](std::int64_t patience_us) {
        Op op = with_row("patient", true);
        op.patience_us = patience_us;
        return op;
    };
    ASSERT_FALSE(push(inbox, patient(3'600'000'000)));
    EXPECT_THAT(names(*inbox.take(milliseconds(1))), ElementsAre()) << "it asked for no commit of its own";
    ASSERT_FALSE(push(inbox, plain("client")));
    EXPECT_THAT(names(*inbox.take({})), ElementsAre("patient", "client"));

    ASSERT_FALSE(push(inbox, patient(1)));
    EXPECT_THAT(names(*inbox.take({})), ElementsAre("patient")) << "its patience ends";

    ASSERT_FALSE(push(inbox, patient(3'600'000'000)));
    ASSERT_FALSE(push(inbox, with_row("urgent", true)));
    EXPECT_THAT(names(*inbox.take({})), ElementsAre("patient", "urgent"));

    ASSERT_FALSE(push(inbox, patient(3'600'000'000)));
    inbox.close();
    EXPECT_THAT(names(*inbox.take({})), ElementsAre("patient"));
}

} // namespace
} // namespace tocsin::storage::test
