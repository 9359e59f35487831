// SPDX-License-Identifier: Apache-2.0
// Pings of checks as beats of watches.
#include "compat_face.hpp"

namespace tocsin::ipc::http {
namespace {

using test::Answer;
using test::OlderFace;

const std::string uuid = "1f3c0b3a-8a0c-4f5e-9d8f-3b8a3b6d2f10";

TEST(CompatHealthchecks, APingIsABeatByAnyMethod) {
    OlderFace face;
    auto client = face.connect();
    for (const std::string_view method : {"GET", "POST", "HEAD"}) {
        for (const std::string_view slash : {"", "/"}) {
            face.send_all(client,
                          std::string(method) + " /ping/" + uuid + std::string(slash) + " HTTP/1.1\r\nHost: x\r\n\r\n");
            const Answer answer = face.receive(client, method == "HEAD");
            EXPECT_EQ(answer.status, 200U) << method;
            EXPECT_EQ(answer.body, method == "HEAD" ? "" : "OK");
            EXPECT_EQ(answer.header("Ping-Body-Limit"), "1024");
        }
    }
    ASSERT_EQ(face.heartbeats.beats_seen.size(), 6U);
    for (const Beat& beat : face.heartbeats.beats_seen) {
        EXPECT_EQ(beat.key, (WatchKey{uuid, 0}));
        EXPECT_EQ(beat.kind, BeatKind::ok);
        EXPECT_EQ(beat.uid, ::getuid());
        EXPECT_EQ(beat.time_us, face.clock.wall);
    }
}

TEST(CompatHealthchecks, WhatStandsBehindTheNameIsItsKind) {
    struct Case {
        std::string_view word;
        BeatKind kind;
        std::string_view status;
    };
    OlderFace face;
    for (const Case& one : {Case{"start", BeatKind::start, ""}, Case{"fail", BeatKind::fail, ""},
                            Case{"log", BeatKind::note, ""}, Case{"0", BeatKind::ok, ""},
                            Case{"1", BeatKind::fail, "exit code 1"}, Case{"255", BeatKind::fail, "exit code 255"}}) {
        EXPECT_EQ(face.get("/ping/db-backup/" + std::string(one.word) + "?rid=r-1&create=1").body, "OK");
        EXPECT_EQ(face.heartbeats.beats_seen.back().key.source, "db-backup");
        EXPECT_EQ(face.heartbeats.beats_seen.back().kind, one.kind) << one.word;
        EXPECT_EQ(face.heartbeats.beats_seen.back().status, one.status) << one.word;
        EXPECT_EQ(face.heartbeats.beats_seen.back().run, "r-1");
    }
    for (const std::string_view word : {"256", "-1", "1x", "stop", "finish"}) {
        const Answer answer = face.get("/ping/db-backup/" + std::string(word));
        EXPECT_EQ(answer.status, 404U) << word;
        EXPECT_TRUE(answer.header("Content-Type").starts_with("text/plain"));
        EXPECT_TRUE(answer.has("start, fail, log or an exit code")) << answer.body;
    }
    EXPECT_EQ(face.heartbeats.beats_seen.size(), 6U);
}

TEST(CompatHealthchecks, WhatIsPostedIsTheStatus) {
    struct Case {
        std::string body;
        std::string status;
    };
    OlderFace face;
    const std::string accents(600, '\xc3');
    for (const Case& one : {Case{"disk 80 % full\n", "disk 80 % full\n"},
                            Case{"a\xff"
                                 "b",
                                 "a?b"},
                            Case{std::string("a\0b", 3), "a?b"}, Case{std::string(2'000, 'x'), std::string(1'024, 'x')},
                            Case{std::string(1'023, 'x') + "\xc3\xa9", std::string(1'023, 'x')},
                            Case{std::string(1'022, 'x') + "\xc3\xa9", std::string(1'022, 'x') + "\xc3\xa9"},
                            Case{accents, std::string(600, '?')}, Case{"{\"json\":1}", "{\"json\":1}"}}) {
        EXPECT_EQ(face.post("/ping/a/3", one.body, "text/plain").status, 200U);
        EXPECT_EQ(face.heartbeats.beats_seen.back().status, one.status);
    }
    EXPECT_EQ(face.post("/ping/a", std::string(300'000, 'x'), "application/octet-stream").status, 200U)
        << "a long log is no reason to miss a ping";
    EXPECT_EQ(face.heartbeats.beats_seen.back().status.size(), 1'024U);
}

TEST(CompatHealthchecks, WhatIsNoNameIsRefused) {
    OlderFace face;
    EXPECT_EQ(face.get("/ping/" + std::string(256, 'x')).status, 400U);
    EXPECT_EQ(face.get("/ping/tocsin").status, 400U) << "the daemon's own";
    EXPECT_EQ(face.get("/ping").status, 404U);
    EXPECT_TRUE(face.heartbeats.beats_seen.empty());
}

TEST(CompatHealthchecks, IsClosedUnlessSwitchedOn) {
    EXPECT_TRUE(test::is_closed_elsewhere("GET", "/ping/" + uuid));
    EXPECT_TRUE(test::is_closed_elsewhere("POST", "/ping/db-backup/start"));
}

} // namespace
} // namespace tocsin::ipc::http
