// SPDX-License-Identifier: Apache-2.0
#include "dbus_fixture.hpp"

#include "core/limits.hpp"

namespace tocsin::ipc::dbus::testing {
namespace {

using EventsTest = DbusTest;

TEST_F(EventsTest, SubmitAnswersTheIndexAndKeepsEveryField) {
    start();
    const Answer answer =
        client().call("Events", "Submit", "a{sv}", 5, "event_name", "s", "door.open", "event_src", "s", "gate", "scid",
                      "q", 7, "severity", "s", "high", "payload", "a{sv}", 2, "user", "s", "eve", "tries", "u", 3);
    EXPECT_EQ(answer.text(), "t17");
    ASSERT_EQ(intake.submitted.size(), 1u);
    const Event& event = intake.submitted[0];
    EXPECT_EQ(event.event_name, "door.open");
    EXPECT_EQ(event.scid, 7);
    EXPECT_EQ(event.severity, Severity::error);
    EXPECT_EQ(event.payload, R"({"user":"eve","tries":3})");
    EXPECT_EQ(event.event_time_us, clock.wall_us());
}

TEST_F(EventsTest, TheOriginComesFromTheBus) {
    start();
    client().call("Events", "Submit", "a{sv}", 2, "event_name", "s", "a", "event_src", "s", "b");
    ASSERT_EQ(intake.submitted.size(), 1u);
    const Origin& origin = intake.submitted[0].origin;
    EXPECT_EQ(origin.transport, "dbus");
    EXPECT_EQ(origin.uid, ::getuid());
    EXPECT_EQ(origin.pid, static_cast<std::uint32_t>(::getpid()));
    EXPECT_TRUE(origin.executable.ends_with("unit_ipc")) << origin.executable;
}

TEST_F(EventsTest, AWrongFieldIsNamed) {
    start();
    const Answer answer = client().call("Events", "Submit", "a{sv}", 3, "event_name", "s", "a", "event_src", "s", "b",
                                        "severity", "s", "hihg");
    EXPECT_EQ(answer.error, "InvalidEvent");
    EXPECT_NE(answer.message.find("severity"), std::string::npos) << answer.message;
    EXPECT_TRUE(intake.submitted.empty());
    EXPECT_EQ(on_io([this] { return manager.rejected; }), std::vector{Code::invalid_event});
}

TEST_F(EventsTest, EveryWrongFieldOfOneEventIsNamed) {
    start();
    const Answer answer =
        client().call("Events", "Submit", "a{sv}", 3, "event_src", "s", "b", "nonsense", "s", "x", "scid", "d", 0.5);
    EXPECT_EQ(answer.error, "InvalidEvent");
    for (const char* field : {"event_name", "nonsense", "scid"}) {
        EXPECT_NE(answer.message.find(field), std::string::npos) << answer.message;
    }
}

TEST_F(EventsTest, AKeyGivenTwiceIsRefused) {
    start();
    const Answer answer = client().call("Events", "Submit", "a{sv}", 3, "event_name", "s", "a", "event_src", "s", "b",
                                        "event_name", "s", "c");
    EXPECT_EQ(answer.error, "InvalidEvent");
    EXPECT_NE(answer.message.find("event_name"), std::string::npos) << answer.message;
}

TEST_F(EventsTest, ADescriptorIsRefusedWithItsField) {
    start();
    const Answer answer = client().call("Events", "Submit", "a{sv}", 3, "event_name", "s", "a", "event_src", "s", "b",
                                        "description", "h", 0);
    EXPECT_EQ(answer.error, "InvalidEvent");
    EXPECT_NE(answer.message.find("description"), std::string::npos) << answer.message;
    EXPECT_NE(answer.message.find("descriptor"), std::string::npos) << answer.message;
}

TEST_F(EventsTest, WhatTheIntakeRefusesHasItsName) {
    start();
    const std::vector<Code> codes{Code::storage_full, Code::conflict, Code::unavailable, Code::limit_exceeded};
    for (const Code code : codes) {
        on_io([this, code] { intake.refusal = Error{code, "submit", "", "because"}; });
        const Answer answer =
            client().call("Events", "Submit", "a{sv}", 2, "event_name", "s", "a", "event_src", "s", "b");
        EXPECT_EQ(answer.error, info(code).name);
        EXPECT_EQ(answer.message, "because");
    }
    EXPECT_EQ(on_io([this] { return manager.rejected; }), codes);
}

TEST_F(EventsTest, WhoSubmitsTooMuchIsToldWhenToComeBack) {
    start();
    on_io([this] {
        intake.excess = Error{
            .code = Code::limit_exceeded, .context = "submit", .object = "rate", .reason = "r", .retry_after_s = 7};
        return 0;
    });
    const Answer one = client().call("Events", "Submit", "a{sv}", 2, "event_name", "s", "a", "event_src", "s", "b");
    EXPECT_EQ(one.error, "LimitExceeded");
    EXPECT_NE(one.message.find("try again in 7 s"), std::string::npos) << one.message;
    const Answer batch = client().call("Events", "SubmitBatch", "aa{sv}", 0);
    EXPECT_EQ(batch.error, "LimitExceeded") << "before what was sent is read";
    const Answer lines = client().call("Events", "SubmitJson", "ay", 1, '{');
    EXPECT_EQ(lines.error, "LimitExceeded");
    EXPECT_TRUE(intake.submitted.empty());
    EXPECT_EQ(on_io([this] { return manager.rejected; }), std::vector(3, Code::limit_exceeded));
    EXPECT_EQ(client().call("Events", "Count", "a{sv}", 0).error, "") << "reading has nothing to do with it";
}

TEST_F(EventsTest, ABeatAnswersIndexZero) {
    start();
    EXPECT_EQ(
        client().call("Events", "Submit", "a{sv}", 2, "event_name", "s", "heartbeat", "event_src", "s", "b").text(),
        "t0");
}

TEST_F(EventsTest, ABatchAnswersItsIndexesInOrder) {
    start();
    const Answer answer = client().call("Events", "SubmitBatch", "aa{sv}", 3,                     //
                                        2, "event_name", "s", "a", "event_src", "s", "x",         //
                                        2, "event_name", "s", "heartbeat", "event_src", "s", "x", //
                                        2, "event_name", "s", "b", "event_src", "s", "x");
    EXPECT_EQ(answer.text(), "[t17 t0 t18]");
}

TEST_F(EventsTest, ABadBatchKeepsNothingAndNamesIndexAndField) {
    start();
    const Answer answer = client().call("Events", "SubmitBatch", "aa{sv}", 3,             //
                                        2, "event_name", "s", "a", "event_src", "s", "x", //
                                        1, "event_src", "s", "x",                         //
                                        3, "event_name", "s", "b", "event_src", "s", "x", "count", "u", 0);
    EXPECT_EQ(answer.error, "InvalidEvent");
    EXPECT_NE(answer.message.find("event 1: event_name"), std::string::npos) << answer.message;
    EXPECT_NE(answer.message.find("event 2: count"), std::string::npos) << answer.message;
    EXPECT_TRUE(intake.submitted.empty());
}

MessagePtr batch_of(Client& client, std::size_t events, bool good) {
    MessagePtr call = client.message(root, "Events", "SubmitBatch");
    sd_bus_message_open_container(call.get(), 'a', "a{sv}");
    for (std::size_t i = 0; i < events; ++i) {
        sd_bus_message_append(call.get(), "a{sv}", 2, "event_name", "s", good ? "a" : "", "event_src", "s", "x");
    }
    sd_bus_message_close_container(call.get());
    return call;
}

TEST_F(EventsTest, ABatchIsBounded) {
    start();
    EXPECT_TRUE(client().send(batch_of(client(), limits::batch_events, true)).ok());
    EXPECT_EQ(client().send(batch_of(client(), limits::batch_events + 1, true)).error, "LimitExceeded");
    const Answer bad = client().send(batch_of(client(), limits::batch_events, false));
    EXPECT_EQ(bad.error, "InvalidEvent");
    EXPECT_LT(bad.message.size(), 16 * limits::KiB);
}

Answer submit_json(Client& client, const std::string& text) {
    const MessagePtr call = client.message(root, "Events", "SubmitJson");
    sd_bus_message_append_array(call.get(), 'y', text.data(), text.size());
    return client.send(call);
}

TEST_F(EventsTest, JsonLinesAreOneBatch) {
    start();
    const Answer answer = submit_json(client(), R"({"event_name":"a","event_src":"x"}
{"event_name":"heartbeat","event_src":"x"}

{"event_name":"b","event_src":"x","payload":{"n":[1,null,2.5]}})");
    EXPECT_EQ(answer.text(), "t17 t18 u3");
    EXPECT_EQ(intake.submitted.back().payload, R"({"n":[1,null,2.5]})");
    EXPECT_EQ(intake.submitted.back().origin.transport, "dbus");
}

TEST_F(EventsTest, BadJsonLinesAreNamed) {
    start();
    const Answer answer = submit_json(client(), "{\"event_name\":\"a\",\"event_src\":\"x\"}\n{\"event_src\":\"x\"}\n");
    EXPECT_EQ(answer.error, "InvalidEvent");
    EXPECT_NE(answer.message.find("event 1: event_name"), std::string::npos) << answer.message;
    EXPECT_EQ(submit_json(client(), "{\"event_name\":").error, "InvalidArgument");
    EXPECT_TRUE(intake.submitted.empty());
}

TEST_F(EventsTest, NothingIsNotABatch) {
    start();
    EXPECT_EQ(client().call("Events", "SubmitBatch", "aa{sv}", 0).error, "InvalidArgument");
    EXPECT_EQ(submit_json(client(), "\n\n").error, "InvalidArgument");
}

TEST_F(EventsTest, BytesThatAreNoTextAreAnsweredAndTheBusKeepsUs) {
    start();
    EXPECT_FALSE(submit_json(client(), "\xff\xfe").ok());
    EXPECT_FALSE(submit_json(client(), "{\"event_name\":\"a\xff\",\"event_src\":\"x\"}").ok());
    EXPECT_FALSE(submit_json(client(), std::string("{\"event_name\":\"a\0\"}", 19)).ok());
    const std::string wide(200, '\xc3'); // cut anywhere it is not a character
    EXPECT_FALSE(submit_json(client(), "{\"severity\":\"" + wide + "\"}").ok());
    EXPECT_EQ(client().call("Events", "Count", "a{sv}", 0).text(), "t0");
}

TEST_F(EventsTest, JsonIsBoundedByLines) {
    start();
    std::string lines;
    for (std::size_t i = 0; i < limits::batch_events + 1; ++i) {
        lines += "{\"event_name\":\"a\",\"event_src\":\"x\"}\n";
    }
    EXPECT_EQ(submit_json(client(), lines).error, "LimitExceeded");
    lines.erase(0, lines.find('\n') + 1);
    EXPECT_EQ(submit_json(client(), lines).text(), "t17 t10016 u10000");
}

TEST_F(EventsTest, GetShowsAnEvent) {
    Event event = event_of(5, "door.open", R"({"a":1,"n":null,"l":[null,true],"big":18446744073709551615,"r":0.5})");
    event.event_rule_id = -3;
    event.cause = 4;
    event.cause_depth = 1;
    event.origin = {"dbus", 1000, std::nullopt, 77, "x.service", "/bin/x"};
    reader.log = {event};
    start();
    const std::string text = client().call("Events", "Get", "t", std::uint64_t{5}).text();
    for (const char* part :
         {"unique_index:t5", "scid:x0", "event_time:t1767322804000005", "event_rule_id:x-3",
          "event_name:s\"door.open\"", "event_src:s\"test\"", "count:t1", "severity:s\"info\"", "cause:t4",
          "cause_depth:u1", "payload:{a:x1 l:[[] btrue] big:t18446744073709551615 r:d0.5}",
          "origin:{transport:s\"dbus\" uid:x1000 pid:x77 unit:s\"x.service\" executable:s\"/bin/x\"}"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
    }
    EXPECT_EQ(client().call("Events", "Get", "t", std::uint64_t{6}).error, "NotFound");
}

TEST_F(EventsTest, QueryPagesWithAFilter) {
    for (std::uint64_t i = 1; i <= 150; ++i) {
        reader.log.push_back(event_of(i, i % 2 == 0 ? "even" : "odd"));
    }
    start();
    const Answer first = client().call("Events", "Query", "a{sv}us", 0, 0, "");
    EXPECT_EQ(on_io([this] { return reader.last_limit; }), limits::page_default);
    const std::string text = first.text();
    EXPECT_TRUE(text.ends_with(" s\"100\"")) << text.substr(text.size() - 20);
    const std::string rest = client().call("Events", "Query", "a{sv}us", 0, 100, "100").text();
    EXPECT_TRUE(rest.ends_with(" s\"\""));
    EXPECT_EQ(rest.find("unique_index:t100 "), std::string::npos);
    EXPECT_NE(rest.find("unique_index:t101 "), std::string::npos);
    EXPECT_EQ(client().call("Events", "Count", "a{sv}", 1, "event_name", "s", "odd").text(), "t75");
    EXPECT_EQ(client().call("Events", "Count", "a{sv}", 1, "event_name", "as", 2, "odd", "even").text(), "t150");
    EXPECT_EQ(client().call("Events", "Count", "a{sv}", 1, "event_name", "av", 1, "s", "o*").text(), "t75");
}

TEST_F(EventsTest, BadFiltersNameTheirKey) {
    start();
    struct {
        Answer answer;
        const char* key;
    } cases[] = {
        {client().call("Events", "Count", "a{sv}", 1, "colour", "s", "red"), "colour"},
        {client().call("Events", "Count", "a{sv}", 1, "scid", "s", "x"), "scid"},
        {client().call("Events", "Count", "a{sv}", 1, "scid", "ax", 0), "scid"},
        {client().call("Events", "Count", "a{sv}", 1, "scid", "aas", 1, 1, "1"), "scid"},
        {client().call("Events", "Count", "a{sv}", 1, "scid", "h", 0), "scid"},
        {client().call("Events", "Query", "a{sv}us", 1, "where", "s", "a ==", 0, ""), "where"},
        {client().call("Events", "Query", "a{sv}us", 0, 10'001, ""), "limit"},
        {client().call("Events", "Subscribe", "a{sv}", 1, "since", "s", "never"), "since"},
    };
    for (const auto& [answer, key] : cases) {
        EXPECT_EQ(answer.error, "InvalidArgument");
        EXPECT_NE(answer.message.find(key), std::string::npos) << answer.message;
    }
}

TEST_F(EventsTest, APageNeverExceedsTheLargestMessage) {
    // Eight times as large on the bus as in JSON; the private bus disconnects who sends more than 8 MiB.
    std::string payload = "{\"n\":[1";
    while (payload.size() < 60'000) {
        payload += ",1";
    }
    payload += "]}";
    for (std::uint64_t i = 1; i <= 60; ++i) {
        reader.log.push_back(event_of(i, "big", payload));
    }
    start();
    std::string cursor;
    std::uint64_t seen = 0;
    do {
        const Answer page = client().call("Events", "Query", "a{sv}us", 0, 10'000, cursor.c_str());
        ASSERT_TRUE(page.ok()) << page.text();
        sd_bus_message_enter_container(page.reply.get(), 'a', "a{sv}");
        while (sd_bus_message_at_end(page.reply.get(), 0) == 0) {
            sd_bus_message_skip(page.reply.get(), "a{sv}");
            ++seen;
        }
        sd_bus_message_exit_container(page.reply.get());
        const char* next = nullptr;
        sd_bus_message_read_basic(page.reply.get(), 's', &next);
        cursor = next;
    } while (!cursor.empty());
    EXPECT_EQ(seen, 60u);
    EXPECT_GT(on_io([this] { return reader.queries; }), 2u);
}

TEST_F(EventsTest, TheDeepestPayloadGoesInAndOut) {
    start();
    const auto nested = [](unsigned depth) {
        std::string text;
        for (unsigned i = 0; i < depth; ++i) {
            text += "{\"a\":";
        }
        return text + "1" + std::string(depth, '}');
    };
    const auto line = [&nested](unsigned depth) {
        return R"({"event_name":"a","event_src":"x","payload":)" + nested(depth) + "}";
    };
    ASSERT_TRUE(submit_json(client(), line(limits::payload_depth)).ok());
    EXPECT_EQ(submit_json(client(), line(limits::payload_depth + 1)).error, "InvalidEvent");
    on_io([this] { reader.log = {intake.submitted.front()}; });
    const Answer got = client().call("Events", "Get", "t", std::uint64_t{17});
    ASSERT_TRUE(got.ok()) << got.text();
    EXPECT_NE(got.text().find("a:x1"), std::string::npos);
}

} // namespace
} // namespace tocsin::ipc::dbus::testing
