// SPDX-License-Identifier: Apache-2.0
#include "dbus_bus.hpp"

#include "core/event.hpp"
#include "core/json.hpp"
#include "core/limits.hpp"
#include "ipc/dbus/path.hpp"
#include "ipc/dbus/read_variant.hpp"
#include "ipc/dbus/write_variant.hpp"

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <sys/socket.h>

namespace tocsin::ipc::dbus::testing {
namespace {

// Messages need a connection, but nobody at its other end.
class VariantTest : public ::testing::Test {
protected:
    VariantTest() {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_), 0);
        sd_bus* raw = nullptr;
        EXPECT_GE(sd_bus_new(&raw), 0);
        bus_.reset(raw);
        EXPECT_GE(sd_bus_set_fd(raw, ends_[0], ends_[0]), 0);
        EXPECT_GE(sd_bus_negotiate_fds(raw, 1), 0);
        EXPECT_GE(sd_bus_start(raw), 0);
    }
    ~VariantTest() override { ::close(ends_[1]); }

    Message message() const {
        sd_bus_message* raw = nullptr;
        EXPECT_GE(sd_bus_message_new_signal(bus_.get(), &raw, "/a", "a.b", "C"), 0);
        return Message(raw);
    }
    // To be read from the start.
    static void seal(const Message& message) {
        EXPECT_GE(sd_bus_message_seal(message.get(), 1, 0), 0);
        EXPECT_GE(sd_bus_message_rewind(message.get(), 1), 0);
    }

private:
    int ends_[2] = {-1, -1};
    Bus bus_{};
};

class Recorder final : public EntrySink {
public:
    void value(std::string_view key, const Scalar& value) override {
        text += std::string(key) + "=" + kind(value);
        json::append_scalar(text, value);
        text += ";";
    }
    void refuse(std::string_view key, std::string reason) override { text += std::string(key) + "!" + reason + ";"; }
    std::string text{};

private:
    static std::string kind(const Scalar& value) {
        static constexpr const char* kinds[] = {"", "b", "x", "t", "u", "d", "s", "j", "T"};
        return kinds[value.index()];
    }
};

struct Case {
    const char* types; // of the dictionary
    std::function<void(sd_bus_message*)> append;
    std::string fields;   // what an event gets
    std::string repeated; // what a filter gets
};

template <typename... Values> std::function<void(sd_bus_message*)> entry(Values... values) {
    return [values...](sd_bus_message* m) { EXPECT_GE(sd_bus_message_append(m, "a{sv}", 1, "k", values...), 0); };
}

TEST_F(VariantTest, EveryTypeIsTakenOrRefusedWithAReason) {
    const std::string single = "must be a value or an array of values";
    const std::vector<Case> cases{
        {"y", entry("y", 7), "k=t7;", "k=t7;"},
        {"n", entry("n", -7), "k=x-7;", "k=x-7;"},
        {"q", entry("q", 7), "k=t7;", "k=t7;"},
        {"i", entry("i", -7), "k=x-7;", "k=x-7;"},
        {"u", entry("u", 4'000'000'000U), "k=t4000000000;", "k=t4000000000;"},
        {"x", entry("x", std::numeric_limits<std::int64_t>::min()), "k=x-9223372036854775808;",
         "k=x-9223372036854775808;"},
        {"t", entry("t", std::numeric_limits<std::uint64_t>::max()), "k=t18446744073709551615;",
         "k=t18446744073709551615;"},
        {"b", entry("b", 1), "k=btrue;", "k=btrue;"},
        {"d", entry("d", 0.5), "k=d0.5;", "k=d0.5;"},
        {"nan", entry("d", std::nan("")), "k!is not a finite number;", "k!is not a finite number;"},
        {"inf", entry("d", -HUGE_VAL), "k!is not a finite number;", "k!is not a finite number;"},
        {"s", entry("s", "á\"\n"), "k=s\"á\\\"\\n\";", "k=s\"á\\\"\\n\";"},
        {"o", entry("o", "/a/b"), "k=s\"/a/b\";", "k=s\"/a/b\";"},
        {"g", entry("g", "a{sv}"), "k=s\"a{sv}\";", "k=s\"a{sv}\";"},
        {"h", entry("h", 0), "k!is a file descriptor;", "k!is a file descriptor;"},
        {"v", entry("v", "s", "x"), "k=s\"x\";", "k=s\"x\";"},
        {"a{sv}", entry("a{sv}", 2, "a", "u", 1, "b", "as", 2, "x", "y"), "k=j{\"a\":1,\"b\":[\"x\",\"y\"]};",
         "k!" + single + ";"},
        {"a{ss}", entry("a{ss}", 1, "a", "b"), "k=j{\"a\":\"b\"};", "k!" + single + ";"},
        {"a{sas}", entry("a{sas}", 1, "a", 1, "b"), "k=j{\"a\":[\"b\"]};", "k!" + single + ";"},
        {"a{us}", entry("a{us}", 1, 1, "b"), "k!has a dictionary whose keys are not strings;", "k!" + single + ";"},
        {"a{sd}", entry("a{sd}", 1, "a", std::nan("")), "k!has a value that is not a finite number;",
         "k!" + single + ";"},
        {"a{sh}", entry("a{sh}", 2, "a", 0, "b", 0), "k!has a value that is a file descriptor;", "k!" + single + ";"},
        {"a{sv} empty", entry("a{sv}", 0), "k=j{};", "k!" + single + ";"},
        {"av", entry("av", 3, "s", "x", "b", 0, "av", 0), "k=j[\"x\",false,[]];",
         "k=s\"x\";k=bfalse;k!" + single + ";"},
        {"as", entry("as", 2, "x", "y"), "k=j[\"x\",\"y\"];", "k=s\"x\";k=s\"y\";"},
        {"ax", entry("ax", 2, std::int64_t{1}, std::int64_t{-1}), "k=j[1,-1];", "k=x1;k=x-1;"},
        {"ay", entry("ay", 2, 1, 2), "k=j[1,2];", "k=t1;k=t2;"},
        {"as empty", entry("as", 0), "k=j[];", "k!an empty array matches nothing; leave the key out;"},
        {"aas", entry("aas", 1, 1, "x"), "k=j[[\"x\"]];", "k!" + single + ";"},
        {"(sx)", entry("(sx)", "a", std::int64_t{1}), "k=j[\"a\",1];", "k=j[\"a\",1];"},
    };
    for (const Case& c : cases) {
        const Message sent = message();
        c.append(sent.get());
        seal(sent);
        Recorder fields;
        EXPECT_TRUE(read_entries(sent.get(), Arrays::json, fields)) << c.types;
        EXPECT_EQ(fields.text, c.fields) << c.types;
        EXPECT_GT(sd_bus_message_at_end(sent.get(), 1), 0) << c.types;
        sd_bus_message_rewind(sent.get(), 1);
        Recorder repeated;
        EXPECT_TRUE(read_entries(sent.get(), Arrays::repeated, repeated)) << c.types;
        EXPECT_EQ(repeated.text, c.repeated) << c.types;
        EXPECT_GT(sd_bus_message_at_end(sent.get(), 1), 0) << c.types;
    }
}

TEST_F(VariantTest, AfterARefusalReadingGoesOn) {
    const Message sent = message();
    ASSERT_GE(sd_bus_message_append(sent.get(), "a{sv}", 3, "a", "a{sv}", 2, "x", "d", std::nan(""), "y", "s", "z", "b",
                                    "h", 0, "c", "u", 5),
              0);
    seal(sent);
    Recorder recorder;
    EXPECT_TRUE(read_entries(sent.get(), Arrays::json, recorder));
    EXPECT_EQ(recorder.text, "a!has a value that is not a finite number;b!is a file descriptor;c=t5;");
}

TEST_F(VariantTest, AnotherTypeIsUnreadable) {
    const Message sent = message();
    ASSERT_GE(sd_bus_message_append(sent.get(), "s", "x"), 0);
    seal(sent);
    Recorder recorder;
    const auto read = read_entries(sent.get(), Arrays::json, recorder);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::invalid_argument);
}

TEST_F(VariantTest, DepthAndSizeAreBounded) {
    for (const unsigned depth : {limits::payload_depth, limits::payload_depth + 1}) {
        const Message sent = message();
        sd_bus_message_open_container(sent.get(), 'a', "{sv}");
        sd_bus_message_open_container(sent.get(), 'e', "sv");
        sd_bus_message_append(sent.get(), "s", "k");
        for (unsigned i = 0; i < depth; ++i) {
            sd_bus_message_open_container(sent.get(), 'v', "av");
            sd_bus_message_open_container(sent.get(), 'a', "v");
        }
        for (unsigned i = 0; i < depth; ++i) {
            sd_bus_message_close_container(sent.get());
            sd_bus_message_close_container(sent.get());
        }
        sd_bus_message_close_container(sent.get());
        sd_bus_message_close_container(sent.get());
        seal(sent);
        Recorder recorder;
        EXPECT_TRUE(read_entries(sent.get(), Arrays::json, recorder));
        EXPECT_EQ(recorder.text.starts_with("k=j[["), depth == limits::payload_depth) << recorder.text;
    }
    const Message large = message();
    const std::string bytes(2 * limits::event_bytes, 'x');
    sd_bus_message_append(large.get(), "a{sv}", 1, "k", "as", 2, bytes.c_str(), "y");
    seal(large);
    Recorder recorder;
    EXPECT_TRUE(read_entries(large.get(), Arrays::json, recorder));
    EXPECT_TRUE(recorder.text.starts_with("k!is larger than")) << recorder.text.substr(0, 100);
}

TEST_F(VariantTest, ScalarsAreWrittenWithTheirTypes) {
    const Message sent = message();
    Out out(sent.get());
    out.open('a', "{sv}");
    out.entry("null", Scalar{});
    out.entry("b", Scalar{true});
    out.entry("x", Scalar{std::int64_t{-1}});
    out.entry("t", Scalar{std::uint64_t{1}});
    out.entry("u", Scalar{std::uint32_t{2}});
    out.entry("d", Scalar{0.5});
    out.entry("s", Scalar{std::string_view("á")});
    out.entry("time", Scalar{TimeUs{17}});
    const std::array<std::int64_t, 2> two{18, -1};
    out.entry("times", Scalar{TimesUs{two}});
    out.entry("o", Scalar{RawJson{R"({"n":null,"a":[null,{"b":false}],"i":-1,"big":9223372036854775808,"e":{}})"}});
    out.entry("l", Scalar{RawJson{"[]"}});
    out.close();
    ASSERT_TRUE(out.ok());
    seal(sent);
    EXPECT_EQ(typed(sent.get()), "{b:btrue x:x-1 t:t1 u:u2 d:d0.5 s:s\"á\" time:t17 times:[t18 t0] "
                                 "o:{a:[[] {b:bfalse}] i:x-1 big:t9223372036854775808 e:{}} l:[]}");
}

TEST_F(VariantTest, WhatIsWrittenIsReadBack) {
    const std::string json =
        R"({"a":[1,-2,0.25,"x",true,[],{"b":{"c":[[1]]}}],"empty":{},"":"y","é\u0001":18446744073709551615})";
    const Message sent = message();
    Out out(sent.get());
    out.open('a', "{sv}");
    out.entry("k", Scalar{RawJson{json}});
    out.close();
    ASSERT_TRUE(out.ok());
    seal(sent);
    Recorder recorder;
    EXPECT_TRUE(read_entries(sent.get(), Arrays::json, recorder));
    EXPECT_EQ(recorder.text, "k=j" + json + ";");
}

TEST_F(VariantTest, NothingLeavesThatTheBusWouldNotTake) {
    const Message sent = message();
    Out out(sent.get());
    out.text("a\xff");
    out.text(std::string_view("n\0l", 3));
    out.text("\xc3");
    ASSERT_TRUE(out.ok());
    seal(sent);
    EXPECT_EQ(typed(sent.get()), "s\"a?\" s\"n?l\" s\"?\"");
    EXPECT_EQ(clean_text("grün \xe2\x82\xac \xe2\x82"), "grün € ??");
    EXPECT_EQ(clean_text(""), "");
}

TEST_F(VariantTest, TheFirstFailureStays) {
    const Message sent = message();
    Out out(sent.get());
    out.path("no path");
    EXPECT_FALSE(out.ok());
    out.text("x");
    EXPECT_EQ(out.result(), -EINVAL);
}

std::size_t aligned(std::size_t at, std::size_t to) {
    return (at + to - 1) / to * to;
}

std::size_t alignment(char type) {
    switch (type) {
    case 'y':
    case 'g':
    case 'v':
        return 1;
    case 'n':
    case 'q':
        return 2;
    case 'x':
    case 't':
    case 'd':
    case 'r':
    case 'e':
    case '(':
    case '{':
        return 8;
    default:
        return 4;
    }
}

// Where the elements up to the end of the container end on the wire, by the rules of the D-Bus specification.
std::size_t marshalled(sd_bus_message* message, std::size_t at) {
    while (sd_bus_message_at_end(message, 0) == 0) {
        char type = 0;
        const char* contents = nullptr;
        sd_bus_message_peek_type(message, &type, &contents);
        at = aligned(at, alignment(type));
        if (type == 'v' || type == 'a' || type == 'e') {
            at += type == 'v' ? std::string_view(contents).size() + 2 : type == 'a' ? 4 : 0;
            at = type == 'a' ? aligned(at, alignment(contents[0])) : at;
            sd_bus_message_enter_container(message, type, contents);
            at = marshalled(message, at);
            sd_bus_message_exit_container(message);
        } else if (type == 's') {
            const char* text = nullptr;
            sd_bus_message_read_basic(message, 's', &text);
            at += 4 + std::string_view(text).size() + 1;
        } else {
            sd_bus_message_skip(message, nullptr);
            at += alignment(type);
        }
    }
    return at;
}

TEST_F(VariantTest, TheMeasureIsNeverTooSmall) {
    Event event;
    event.event_name = "a";
    event.event_src = "b";
    event.origin = {"dbus", 1, 2, 3, "u.service", "/x"};
    const std::string ones = "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1";
    const std::string nulls = "null,null,null,null,null,null,null";
    for (const std::string& payload :
         {std::string{}, std::string("{}"), "{\"a\":[" + ones + "]}", "{\"a\":[" + nulls + "]}",
          std::string(R"({"a":[[],[],[],[],[],[],[],[],[],[],[],[],[],[]]})"),
          std::string(R"({"a":[{},{},{},{},{},{},{},{},{},{},{},{},{},{}]})"),
          std::string(R"({"":"","b":"","c":"","d":"","e":"","f":"","g":""})"),
          std::string(R"({"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":0}}}}}}}}}})"),
          std::string(R"({"a":[true,false,0.5,"x",18446744073709551615,[[[[[[[0]]]]]]]]})")}) {
        event.payload = payload;
        const Message sent = message();
        Out out(sent.get());
        out.object(event);
        ASSERT_TRUE(out.ok()) << payload;
        seal(sent);
        const std::size_t size = marshalled(sent.get(), 0);
        EXPECT_GE(dbus_bytes(event), size) << payload;
        EXPECT_LE(dbus_bytes(event), size * 3) << payload; // or pages would be needlessly short
    }
}

TEST(Path, ObjectsAndPathsBelongTogether) {
    const std::vector<WatchKey> keys{
        {"a", 0}, {"disk/á b", -4}, {"_", std::numeric_limits<std::int64_t>::max()}, {"9", 1}};
    for (const WatchKey& key : keys) {
        const std::string path = heartbeat_path(key);
        EXPECT_TRUE(sd_bus_object_path_is_valid(path.c_str())) << path;
        EXPECT_EQ(heartbeat_of(path), key);
        EXPECT_TRUE(belongs(Place::heartbeat, path));
        EXPECT_FALSE(belongs(Place::job, path));
    }
    const std::string prefix = "/org/tocsin/EventManager1/";
    for (const char* path :
         {"heartbeat/a", "heartbeat/a/x", "heartbeat/a/_30/b", "heartbeat/a/_", "heartbeat", "job/_31", ""}) {
        EXPECT_FALSE(heartbeat_of(prefix + path)) << path;
    }
    EXPECT_EQ(job_path(17), prefix + "job/_317");
    EXPECT_EQ(job_of(job_path(17)), 17u);
    EXPECT_EQ(job_of(prefix + "job/17"), 17u); // as a person writes it
    EXPECT_EQ(heartbeat_of(prefix + "heartbeat/a/0"), (WatchKey{"a", 0}));
    for (const char* path : {"job/x", "job/_2d1", "job", "job/17/x", "job/18446744073709551616", "heartbeat/a/_30"}) {
        EXPECT_FALSE(job_of(prefix + path)) << path;
    }
    EXPECT_TRUE(belongs(Place::root, root));
    EXPECT_FALSE(belongs(Place::root, prefix));
}

} // namespace
} // namespace tocsin::ipc::dbus::testing
