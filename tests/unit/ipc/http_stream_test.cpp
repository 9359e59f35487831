// SPDX-License-Identifier: Apache-2.0
// Server-sent events: from now, from an index, over a gap; the hand-over between log and live commits; slow readers.
#include "http_face.hpp"

namespace tocsin::ipc::http {
namespace {

using test::Answer;
using test::Client;
using test::Face;
using test::one_event;

struct Stream {
    Stream(Face& on, std::string_view query = "", std::string_view headers = "") : face(on), client(on.connect()) {
        answer = face.ask(client, "GET /v1/stream" + std::string(query) + " HTTP/1.1\r\nHost: x\r\n" +
                                      std::string(headers) + "\r\n");
    }
    bool until(std::string_view text) {
        std::size_t from = 0; // what was looked through is not looked through again
        return face.pump([this, text, &from] {
            client.receive();
            const bool found = client.input.find(text, from) != std::string::npos;
            from = client.input.size() - std::min(client.input.size(), text.size());
            return found;
        });
    }
    // The ids of the events, in order.
    std::vector<std::uint64_t> ids() const {
        std::vector<std::uint64_t> found;
        for (std::size_t at = 0; (at = client.input.find("id: ", at)) != std::string::npos; ++at) {
            std::uint64_t id = 0;
            std::from_chars(client.input.data() + at + 4, client.input.data() + client.input.size(), id);
            found.push_back(id);
        }
        return found;
    }
    Face& face;
    Client client;
    Answer answer{};
};

std::string id_line(std::uint64_t id) {
    return "id: " + std::to_string(id) + "\n";
}

std::vector<std::uint64_t> from_to(std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint64_t> ids;
    for (std::uint64_t id = first; id <= last; ++id) {
        ids.push_back(id);
    }
    return ids;
}

TEST(HttpStream, StartsAtNow) {
    Face face;
    face.log.add("before");
    Stream stream(face);
    EXPECT_EQ(stream.answer.status, 200U);
    EXPECT_EQ(stream.answer.header("Content-Type"), "text/event-stream");
    EXPECT_EQ(stream.answer.header("Connection"), "close");
    EXPECT_EQ(stream.answer.header("Content-Length"), "");
    face.log.add("after");
    ASSERT_TRUE(stream.until("id: 2\nevent: event\ndata: {\"unique_index\":2,"));
    EXPECT_TRUE(stream.client.input.starts_with("retry: 2000\n: store aaaa"));
    EXPECT_TRUE(stream.client.input.ends_with("}\n\n"));
    EXPECT_EQ(stream.ids(), (std::vector<std::uint64_t>{2}));
    EXPECT_EQ(face.log.reads, 0U) << "live events need no reading";
}

TEST(HttpStream, ResumesWithoutAGapOrARepeat) {
    Face face;
    for (int i = 0; i < 10; ++i) {
        face.log.add("old");
    }
    Stream by_parameter(face, "?after=4");
    ASSERT_TRUE(by_parameter.until(id_line(10)));
    Stream by_header(face, "?after=4", "Last-Event-ID: 8\r\n");
    ASSERT_TRUE(by_header.until(id_line(10)));
    face.log.add("new");
    ASSERT_TRUE(by_parameter.until(id_line(11)));
    ASSERT_TRUE(by_header.until(id_line(11)));
    EXPECT_EQ(by_parameter.ids(), from_to(5, 11));
    EXPECT_EQ(by_header.ids(), from_to(9, 11)) << "the header is the newer word";
}

TEST(HttpStream, WhatIsCommittedWhileItCatchesUpComesOnce) {
    Limits limits = Face::fast();
    limits.follower_events = 3;
    Face face(limits);
    for (int i = 0; i < 20; ++i) {
        face.log.add("old");
    }
    Stream stream(face, "?after=0");
    for (std::uint64_t i = 0; i < 30; ++i) {
        face.log.add("new"); // commits fall between its reads
        face.io.restart();
        face.io.poll_one();
        stream.client.receive();
    }
    ASSERT_TRUE(stream.until(id_line(50)));
    face.settle();
    stream.client.receive();
    EXPECT_EQ(stream.ids(), from_to(1, 50));
    const std::size_t reads = face.log.reads;
    face.log.add("live");
    ASSERT_TRUE(stream.until(id_line(51)));
    EXPECT_EQ(face.log.reads, reads) << "caught up";
}

TEST(HttpStream, AGapComesFirst) {
    Face face;
    for (int i = 0; i < 20; ++i) {
        face.log.add("x");
    }
    face.log.events.erase(face.log.events.begin(), face.log.events.begin() + 14);
    Stream stream(face, "?after=12");
    ASSERT_TRUE(stream.until(id_line(20)));
    const std::size_t gap = stream.client.input.find("event: gap\ndata: {\"after\":12,\"first\":15}\n\n");
    ASSERT_NE(gap, std::string::npos) << stream.client.input;
    EXPECT_LT(gap, stream.client.input.find("id: 15"));
    EXPECT_EQ(stream.ids(), from_to(15, 20));
    Stream none(face, "?after=14");
    ASSERT_TRUE(none.until(id_line(20)));
    EXPECT_EQ(none.client.input.find("event: gap"), std::string::npos) << "15 is the next one: nothing is missing";
}

TEST(HttpStream, AnIndexOfTheFutureIsAGapToo) {
    Face face;
    face.log.add("x");
    Stream stream(face, "?after=900");
    ASSERT_TRUE(stream.until("event: gap\ndata: {\"after\":900,\"first\":2}\n\n"));
    face.log.add("y");
    ASSERT_TRUE(stream.until(id_line(2)));
    EXPECT_EQ(stream.ids(), from_to(2, 2));
}

// The store of the face is aaaa…
TEST(HttpStream, APositionMayNameItsStore) {
    const std::string ours(32, 'a');
    const std::string other(32, 'b');
    for (const bool header : {false, true}) {
        Face face;
        for (int i = 0; i < 5; ++i) {
            face.log.add("x");
        }
        const auto from = [&face, header](const std::string& position) {
            return header ? Stream(face, "", "Last-Event-ID: " + position + "\r\n")
                          : Stream(face, "?after=" + position);
        };
        Stream same = from(ours + ":3");
        ASSERT_TRUE(same.until(id_line(5)));
        EXPECT_EQ(same.ids(), from_to(4, 5));
        Stream foreign = from(other + ":3");
        ASSERT_TRUE(foreign.until("event: gap\ndata: {\"after\":3,\"first\":6}\n\n")) << "3 was another event there";
        face.log.add("y");
        ASSERT_TRUE(foreign.until(id_line(6)));
        EXPECT_EQ(foreign.ids(), from_to(6, 6));
    }
}

TEST(HttpStream, FiltersLiveAndOld) {
    Face face;
    face.log.add("a.1");
    face.log.add("b.1");
    Stream stream(face, "?after=0&event_name=a.*&where=payload.x+!=+1");
    ASSERT_TRUE(stream.until(id_line(1)));
    face.log.add("b.2");
    face.log.add("a.2", R"({"x":1})");
    face.log.add("a.3", R"({"x":2})");
    ASSERT_TRUE(stream.until(id_line(5)));
    EXPECT_EQ(stream.ids(), (std::vector<std::uint64_t>{1, 5}));
}

TEST(HttpStream, ACommitThatWasNotToldIsReadFromTheLog) {
    Face face;
    Stream stream(face);
    face.log.tell = false;
    face.log.add("untold");
    face.log.tell = true;
    face.log.add("told");
    ASSERT_TRUE(stream.until(id_line(2)));
    EXPECT_EQ(stream.ids(), from_to(1, 2));
}

TEST(HttpStream, ASlowReaderCostsOneBufferAndLosesNothing) {
    Limits limits = Face::fast();
    limits.follower_bytes = 10'000;
    limits.follower_events = 50;
    Face face(limits);
    Stream stream(face);
    for (int i = 0; i < 20'000; ++i) { // far more than the socket and the buffer hold
        face.log.add("flood");
        if (i % 100 == 0) {
            face.settle();
        }
    }
    face.settle();
    EXPECT_LT(face.log.reads, 400U);
    ASSERT_TRUE(stream.until(id_line(20'000)));
    EXPECT_EQ(stream.ids(), from_to(1, 20'000));
    EXPECT_GT(face.log.reads, 0U) << "the rest came from the log";
    face.log.add("live again");
    ASSERT_TRUE(stream.until(id_line(20'001)));
}

TEST(HttpStream, AReaderThatStopsReadingIsDropped) {
    Face face;
    Stream stream(face);
    for (int i = 0; i < 20'000; ++i) {
        face.log.add("flood");
        if (i % 100 == 0) {
            face.settle();
        }
    }
    face.settle();
    EXPECT_EQ(face.log.followers(), 1U);
    face.clock.boot += face.hub->limits().write_us + 1;
    EXPECT_TRUE(face.pump([&face] { return face.hub->connections() == 0; }));
    EXPECT_EQ(face.log.followers(), 0U) << "and its subscription is gone";
}

TEST(HttpStream, AReaderThatLeavesIsNoticedAtOnce) {
    Face face;
    Stream stream(face);
    EXPECT_EQ(face.log.followers(), 1U);
    stream.client.close();
    EXPECT_TRUE(face.pump([&face] { return face.hub->connections() == 0; }));
    EXPECT_EQ(face.log.followers(), 0U);
}

TEST(HttpStream, CommentsEveryFifteenSeconds) {
    Face face;
    Stream stream(face);
    ASSERT_TRUE(stream.until("retry: 2000"));
    for (int i = 1; i <= 3; ++i) {
        stream.client.input.clear();
        face.clock.boot += 14'000'000;
        face.settle();
        stream.client.receive();
        EXPECT_EQ(stream.client.input, "");
        face.clock.boot += 1'000'000;
        ASSERT_TRUE(stream.until("\n\n"));
        EXPECT_TRUE(stream.client.input.starts_with(": ")) << "a comment, no event";
    }
}

TEST(HttpStream, WhatAFollowerSendsIsIgnored) {
    Face face;
    Stream stream(face);
    face.send_all(stream.client, "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n");
    face.log.add("x");
    ASSERT_TRUE(stream.until(id_line(1)));
    EXPECT_EQ(stream.client.input.find("HTTP/1.1"), std::string::npos);
}

TEST(HttpStream, ManyFollowersSeeTheSame) {
    Face face;
    std::vector<std::unique_ptr<Stream>> streams;
    for (int i = 0; i < 20; ++i) {
        streams.push_back(std::make_unique<Stream>(face, i % 2 == 0 ? "" : "?after=0"));
    }
    for (int i = 0; i < 100; ++i) {
        face.log.add("x");
    }
    for (const auto& stream : streams) {
        ASSERT_TRUE(stream->until(id_line(100)));
        EXPECT_EQ(stream->ids(), from_to(1, 100));
    }
}

TEST(HttpStream, OneFilterIsOneAudienceAndItsFollowersNeedNotBeInStep) {
    Limits limits = Face::fast();
    limits.follower_events = 3;
    Face face(limits);
    for (int i = 0; i < 30; ++i) {
        face.log.add(i % 2 == 0 ? "even" : "odd");
    }
    std::vector<std::unique_ptr<Stream>> streams;
    for (int i = 0; i < 12; ++i) { // live ones, and such as have far to go, of three filters
        const std::string filter = i % 3 == 0 ? "" : i % 3 == 1 ? "event_name=odd" : "event_name=even";
        streams.push_back(std::make_unique<Stream>(face, "?" + filter + (i < 6 ? "" : "&after=" + std::to_string(i))));
        face.log.add("odd");
        face.log.add("even");
    }
    EXPECT_EQ(face.log.followers(), 1U) << "the log tells the face once";
    std::uint64_t last_odd = face.log.add("odd");
    std::uint64_t last_even = face.log.add("even");
    for (std::size_t i = 0; i < streams.size(); ++i) {
        ASSERT_TRUE(streams[i]->until(id_line(i % 3 == 1 ? last_odd : last_even))) << i;
        std::vector<std::uint64_t> wanted;
        const std::uint64_t begin = i < 6 ? 30 + 2 * i : i;
        for (const Event& event : face.log.events) {
            const bool asked = i % 3 == 0 || event.event_name == (i % 3 == 1 ? "odd" : "even");
            if (event.unique_index > begin && asked) {
                wanted.push_back(event.unique_index);
            }
        }
        EXPECT_EQ(streams[i]->ids(), wanted) << i;
    }
}

TEST(HttpStream, ManyAreWokenTogetherAndNotTooOften) {
    Limits limits = Face::fast();
    limits.follower_pace_us = 20'000;
    limits.followers_at_once = 2;
    Face face(limits);
    std::vector<std::unique_ptr<Stream>> streams;
    for (int i = 0; i < 5; ++i) {
        streams.push_back(std::make_unique<Stream>(face));
        ASSERT_TRUE(streams.back()->until("retry: 2000"));
    }
    face.log.add("wakes");
    for (const auto& stream : streams) {
        ASSERT_TRUE(stream->until(id_line(1)));
    }
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 10; ++i) {
        face.log.add("waits");
        face.settle();
    }
    for (const auto& stream : streams) {
        ASSERT_TRUE(stream->until(id_line(11)));
        EXPECT_EQ(stream->ids(), from_to(1, 11));
    }
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(60)) << "five streams, 20 ms each";
    EXPECT_EQ(face.log.reads, 0U);
}

TEST(HttpStream, AllBuffersTogetherAreBounded) {
    Limits limits = Face::fast();
    limits.followers_bytes = 20'000;
    Face face(limits);
    std::vector<std::unique_ptr<Stream>> streams;
    for (int i = 0; i < 4; ++i) {
        streams.push_back(std::make_unique<Stream>(face));
    }
    std::size_t most = 0;
    for (int i = 0; i < 8'000; ++i) { // more than the sockets hold
        face.log.add("flood");
        most = std::max(most, face.hub->application().streams_hold());
        if (i % 10 == 0) {
            face.settle();
        }
    }
    EXPECT_GE(most, limits.followers_bytes);
    EXPECT_LT(most, 10 * limits.followers_bytes) << "what was read from the log goes beyond, once for each";
    for (const auto& stream : streams) {
        ASSERT_TRUE(stream->until(id_line(8'000)));
        EXPECT_EQ(stream->ids(), from_to(1, 8'000));
    }
    streams.clear();
    EXPECT_TRUE(face.pump([&face] { return face.hub->connections() == 0; }));
    EXPECT_EQ(face.hub->application().streams_hold(), 0U) << "and all is given back";
}

} // namespace
} // namespace tocsin::ipc::http
