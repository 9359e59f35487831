// SPDX-License-Identifier: Apache-2.0
// The event tracker's routes: the code inside the envelope, numbers, names with slashes, dates, pictures.
#include "compat_face.hpp"

namespace tocsin::ipc::http {
namespace {

using test::Answer;
using test::OlderFace;

std::string taken(unsigned code) {
    return R"({"status":true,"response":)" + std::to_string(code) + R"(,"error":{"internal":null,"external":null}})";
}

std::string form(std::string_view target, std::string_view body) {
    return test::Face::post_text(target, body, "application/x-www-form-urlencoded");
}

TEST(CompatEventTracker, APostCountsOne) {
    OlderFace face;
    const Answer answer = face.post("/api/events/login");
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body, taken(201));
    EXPECT_EQ(face.last().event_name, "login");
    EXPECT_EQ(face.last().event_src, "event_tracker");
    EXPECT_EQ(face.last().count, 1U);
    EXPECT_EQ(face.last().event_time_us, face.clock.wall);
    EXPECT_EQ(face.last().origin.uid, ::getuid());
    EXPECT_EQ(face.log.last_sender.uid, ::getuid());
    EXPECT_EQ(face.post("/api/events/login/").body, taken(201)) << "a trailing slash makes no difference";
    EXPECT_EQ(face.log.events.size(), 2U);
}

TEST(CompatEventTracker, ADescriptionComesInAForm) {
    OlderFace face;
    auto client = face.connect();
    EXPECT_EQ(face.ask(client, form("/api/events/login", "a=b&desc=who+came%21")).body, taken(201));
    EXPECT_EQ(face.last().description, "who came!");
}

TEST(CompatEventTracker, ANumberAddsToANewNameAndToAKnownOne) {
    OlderFace face;
    EXPECT_EQ(face.post("/api/events/login/12").body, taken(201));
    EXPECT_EQ(face.last().count, 12U);
    EXPECT_EQ(face.statistics.asked.event_name, (std::vector<NamePattern>{{"login", false}}));
    face.statistics.all = {{.values = {"login"}, .count = 12}};
    EXPECT_EQ(face.post("/api/events/login/2000/").body, taken(204));
    EXPECT_EQ(face.last().count, 2'000U);
    EXPECT_EQ(face.post("/api/events/login/0").body, taken(204)) << "nothing to add";
    EXPECT_EQ(face.log.events.size(), 2U);
}

TEST(CompatEventTracker, NamesMayHaveSlashesAndStars) {
    struct Case {
        std::string_view target;
        std::string_view name;
        std::uint64_t count;
    };
    OlderFace face;
    for (const Case& one :
         {Case{"/api/events/resource%2F209", "resource/209", 1}, Case{"/api/events/resource/209", "resource", 209},
          Case{"/api/events/resource/209/5", "resource/209", 5}, Case{"/api/events/a/b/c", "a/b/c", 1},
          Case{"/api/events/209", "209", 1}, Case{"/api/events/unique", "unique", 1},
          Case{"/api/events/histogram/json", "histogram/json", 1}, Case{"/api/events/a/5b", "a/5b", 1},
          Case{"/api/events/load*/3", "load*", 3}}) {
        EXPECT_EQ(face.post(one.target).body, taken(201)) << one.target;
        EXPECT_EQ(face.last().event_name, one.name);
        EXPECT_EQ(face.last().count, one.count);
    }
    EXPECT_EQ(face.statistics.asked.event_name, (std::vector<NamePattern>{{"load*", false}})) << "no pattern";
}

TEST(CompatEventTracker, WhatIsRefusedHasItsCodeInside) {
    struct Case {
        std::string target;
        std::string_view code;
        std::string_view said;
    };
    OlderFace face;
    for (const Case& one : {Case{"/api/events/" + std::string(256, 'x'), "403", "event_name"},
                            Case{"/api/events/a%01b", "403", "control"},
                            Case{"/api/events/" + std::string(256, 'x') + "/5", "404", "event_name"},
                            Case{"/api/events/login/0", "404", "never counted"},
                            Case{"/api/events/login/1000000001", "404", "must be from 0 to 1000000000"},
                            Case{"/api/events/login/99999999999999999999999", "404", "must be from 0"}}) {
        const Answer answer = face.post(one.target);
        EXPECT_EQ(answer.status, 200U) << one.target;
        EXPECT_TRUE(answer.body.starts_with(R"({"status":false,"response":)" + std::string(one.code) +
                                            R"(,"error":{"internal":)"))
            << answer.body;
        EXPECT_TRUE(answer.has(one.said)) << answer.body;
    }
    EXPECT_TRUE(face.log.events.empty());
    face.log.refuse_batch = face.log.batches.size() + 1;
    EXPECT_TRUE(
        face.post("/api/events/login")
            .has(
                R"({"status":false,"response":403,"error":{"internal":"StorageFull","external":"the disk is full"}})"));
    EXPECT_FALSE(face.manager.rejected.empty()) << "counted as any refused submission";
}

TEST(CompatEventTracker, TheListIsByTheHour) {
    OlderFace face;
    face.statistics.hours.rows = {{.hour_us = 1'599'825'600'000'000, .event_name = "login", .count = 12},
                                  {.hour_us = 1'599'825'600'000'000, .event_name = "daemon.started", .count = 1},
                                  {.hour_us = 1'599'829'200'000'000, .event_name = "resource/209", .count = 203}};
    for (const std::string_view slash : {"", "/"}) {
        const Answer answer =
            face.get("/api/events" + std::string(slash) + "?start_date=2020091112&end_date=20200911&x=1");
        EXPECT_EQ(answer.status, 200U);
        EXPECT_EQ(answer.body, R"({"status":true,"response":[[{"date":"2020091112","event":"login","count":12}],)"
                               R"([{"date":"2020091113","event":"resource/209","count":203}]],)"
                               R"("error":{"internal":null,"external":null}})");
    }
    EXPECT_EQ(face.statistics.asked.since_us, 1'599'825'600'000'000);
    EXPECT_EQ(face.statistics.asked.until_us, 1'599'868'800'000'000) << "to the end of the last day";
}

TEST(CompatEventTracker, DatesThatAreNoneAreRefusedInItsWords) {
    struct Case {
        std::string_view query;
        std::string_view external;
    };
    OlderFace face;
    for (const Case& one :
         {Case{"", "Please give a valid date values"}, Case{"start_date=2020091112", "Please give a valid date values"},
          Case{"start_date=x&end_date=20200911", "Please give a valid date values"},
          Case{"start_date=2020093112&end_date=20201001", "Please give a valid date values"},
          Case{"start_date=2020091124&end_date=20201001", "Please give a valid date values"},
          Case{"start_date=20200911&end_date=20200911", "Invalid date format"},
          Case{"start_date=2020091112&end_date=2020091113", "Invalid date format"},
          Case{"start_date=2020091200&end_date=20200911", "Back to the future?"}}) {
        const Answer answer = face.get("/api/events?" + std::string(one.query));
        EXPECT_EQ(answer.status, 200U);
        EXPECT_TRUE(answer.body.starts_with(R"({"status":false,"response":null,)")) << answer.body;
        EXPECT_TRUE(answer.has(R"("external":")" + std::string(one.external))) << one.query << answer.body;
    }
}

TEST(CompatEventTracker, AListBeyondOneAnswerIsRefusedNotCut) {
    OlderFace face;
    face.statistics.hours.rows.assign(limits::page_bytes / 255, {.hour_us = 0, .event_name = std::string(255, 'n')});
    const Answer answer = face.get("/api/events?start_date=2020091112&end_date=20200911");
    EXPECT_TRUE(answer.body.starts_with(R"({"status":false,)")) << answer.body.substr(0, 200);
    EXPECT_TRUE(answer.has("ask for fewer days"));
}

TEST(CompatEventTracker, UniqueSumsAllTimes) {
    OlderFace face;
    face.statistics.all = {{.values = {"login"}, .count = 7'512},
                           {.values = {"heartbeat.missed"}, .count = 300},
                           {.values = {"resource/\"209\""}, .count = 237}};
    EXPECT_EQ(face.get("/api/events/unique/").body,
              R"({"status":true,"response":[[{"event":"login","count":7512}],)"
              R"([{"event":"resource/\"209\"","count":237}]],"error":{"internal":null,"external":null}})");
    EXPECT_TRUE(face.statistics.asked.empty());
    face.statistics.refusal = Error{.code = Code::limit_exceeded, .context = "t", .object = {}, .reason = "too many"};
    EXPECT_TRUE(face.get("/api/events/unique").has(R"("status":false,"response":null)"));
}

TEST(CompatEventTracker, TheHistogramIsAPageOrAPicture) {
    struct Case {
        std::string_view path;
        std::string_view accept;
        std::string_view type;
        std::string_view has;
    };
    OlderFace face;
    face.statistics.counts[7] = 41;
    for (const Case& one :
         {Case{"20200911", "*/*", "text/html; charset=utf-8", "<svg>an svg</svg>"},
          Case{"20200911/", "", "text/html; charset=utf-8", "<td>07:00</td><td>41</td>"},
          Case{"20200911", "image/png", "image/png", "a png"}, Case{"20200911", "image/jpeg", "image/jpeg", "a jpeg"},
          Case{"20200911.png", "text/html", "image/png", "a png"},
          Case{"20200911.jpg", "text/html", "image/jpeg", "a jpeg"}, Case{"20200911.jpeg", "", "image/jpeg", "a jpeg"},
          Case{"20200911", "image/avif,image/*,*/*;q=0.8", "image/png", "a png"}}) {
        const Answer answer = face.get("/api/events/histogram/resource/%3Cb%3E%20209/" + std::string(one.path),
                                       "Accept: " + std::string(one.accept) + "\r\n");
        EXPECT_EQ(answer.status, 200U) << one.path;
        EXPECT_EQ(answer.header("Content-Type"), one.type) << one.path << one.accept;
        EXPECT_TRUE(answer.has(one.has)) << answer.body;
        EXPECT_FALSE(answer.has("<b>")) << "a name is no markup";
        EXPECT_FALSE(answer.has("<?xml"));
        EXPECT_EQ(face.statistics.name, "resource/<b> 209");
        EXPECT_EQ(face.statistics.day, 1'599'782'400'000'000);
        EXPECT_EQ(face.pictures.drawn[7], 41U);
    }
    EXPECT_TRUE(face.get("/api/events/histogram/a/20200911")
                    .header("Content-Security-Policy")
                    .starts_with("default-src 'none'"));
}

TEST(CompatEventTracker, TheHistogramsJsonStandsInTheEnvelopeAndBesideIt) {
    OlderFace face;
    face.statistics.counts[0] = 3;
    face.statistics.counts[23] = 9;
    const Answer answer = face.get("/api/events/histogram/json/resource/209/20200911/");
    EXPECT_EQ(face.statistics.name, "resource/209");
    const std::string lists = R"("chart_labels":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23],)"
                              R"("chart_events":[3,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,9],"chart_colors":[)";
    EXPECT_TRUE(answer.body.starts_with(R"({"status":true,"response":{)" + lists)) << answer.body;
    EXPECT_TRUE(answer.has(R"(]},"error":{"internal":null,"external":null},)" + lists)) << answer.body;
    EXPECT_TRUE(answer.body.ends_with("\"rgb(102, 102, 255)\"]}")) << answer.body;
    EXPECT_EQ(face.get("/api/events/histogram/json/20200911").status, 200U);
    EXPECT_EQ(face.statistics.name, "json") << "an event may be called that";
}

TEST(CompatEventTracker, AWrongDayIsSaidInTheShapeThatWasAskedFor) {
    OlderFace face;
    const Answer page = face.get("/api/events/histogram/login/2020");
    EXPECT_EQ(page.status, 400U);
    EXPECT_TRUE(page.has("<h1>Bad Parameters</h1>"));
    const Answer json = face.get("/api/events/histogram/json/login/20201340");
    EXPECT_EQ(json.status, 200U);
    EXPECT_TRUE(json.has(R"({"status":false,"response":null,)"));
    EXPECT_EQ(face.get("/api/events/histogram/login").status, 404U);
    face.statistics.refusal = Error{.code = Code::unavailable, .context = "s", .object = {}, .reason = "stopping"};
    EXPECT_EQ(face.get("/api/events/histogram/login/20200911").status, 503U);
}

TEST(CompatEventTracker, IsClosedUnlessSwitchedOn) {
    EXPECT_TRUE(test::is_closed_elsewhere("POST", "/api/events/login"));
    EXPECT_TRUE(test::is_closed_elsewhere("GET", "/api/events?start_date=2020091112&end_date=20200911"));
    EXPECT_TRUE(test::is_closed_elsewhere("GET", "/api/events/unique"));
    EXPECT_TRUE(test::is_closed_elsewhere("GET", "/api/events/histogram/login/20200911"));
}

} // namespace
} // namespace tocsin::ipc::http
