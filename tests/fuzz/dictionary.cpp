// SPDX-License-Identifier: Apache-2.0
// Dictionaries as they come over D-Bus: the input says which values of which types, nested how, go into a message that
// is then read as a method's arguments are.
#include "core/event.hpp"
#include "core/json.hpp"
#include "fuzz.hpp"
#include "ipc/dbus/read_variant.hpp"

#include <array>
#include <string>
#include <sys/socket.h>

using tocsin::fuzz::Bytes;
using tocsin::fuzz::expect;
namespace dbus = tocsin::ipc::dbus;

namespace {

// Messages need a connection, but nobody at its other end.
sd_bus* bus() {
    static sd_bus* const made = [] {
        std::array<int, 2> ends{};
        sd_bus* raw = nullptr;
        expect(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0 && sd_bus_new(&raw) >= 0 &&
                   sd_bus_set_fd(raw, ends[0], ends[0]) >= 0 && sd_bus_start(raw) >= 0,
               "there is a bus");
        return raw;
    }();
    return made;
}

constexpr std::array<const char*, 10> basic = {"y", "b", "n", "q", "i", "u", "x", "t", "d", "s"};
constexpr unsigned depth_most = 40;

void append_value(sd_bus_message* message, const char* type, Bytes& bytes) {
    const std::string text(bytes.text(type[0] == 's' ? bytes.below(32) : 0));
    const auto number = bytes.number<std::uint64_t>();
    const int flag = static_cast<int>(number & 1U);
    double real = 0;
    std::memcpy(&real, &number, sizeof real);
    const void* value = &number;
    if (type[0] == 'b') {
        value = &flag;
    } else if (type[0] == 'd') {
        value = &real;
    } else if (type[0] == 's') {
        value = text.c_str();
    }
    static_cast<void>(sd_bus_message_append_basic(message, type[0], value)); // a text that is no UTF-8 is left out
}

void append_variant(sd_bus_message* message, Bytes& bytes, unsigned depth);

void append_entries(sd_bus_message* message, Bytes& bytes, unsigned depth) {
    expect(sd_bus_message_open_container(message, 'a', "{sv}") >= 0, "a dictionary begins");
    for (unsigned i = bytes.below(6); i > 0; --i) {
        static constexpr std::array<const char*, 5> keys = {"event_name", "event_src", "payload", "severity", "k"};
        sd_bus_message_open_container(message, 'e', "sv");
        sd_bus_message_append_basic(message, 's', keys[bytes.below(keys.size())]);
        append_variant(message, bytes, depth + 1);
        sd_bus_message_close_container(message);
    }
    sd_bus_message_close_container(message);
}

void append_array(sd_bus_message* message, const char* type, Bytes& bytes, unsigned depth) {
    expect(sd_bus_message_open_container(message, 'a', type) >= 0, "an array begins");
    for (unsigned i = bytes.below(6); i > 0; --i) {
        if (type[0] == 'v') {
            append_variant(message, bytes, depth + 1);
        } else if (type[0] == 's') {
            sd_bus_message_append_basic(message, 's', "text");
        } else {
            append_value(message, type, bytes);
        }
    }
    sd_bus_message_close_container(message);
}

void append_variant(sd_bus_message* message, Bytes& bytes, unsigned depth) {
    const std::uint8_t kind = depth < depth_most && !bytes.empty() ? bytes.below(basic.size() + 4) : 0;
    if (kind == basic.size()) {
        sd_bus_message_open_container(message, 'v', "a{sv}");
        append_entries(message, bytes, depth);
    } else if (kind == basic.size() + 1) {
        sd_bus_message_open_container(message, 'v', "av");
        append_array(message, "v", bytes, depth);
    } else if (kind == basic.size() + 2) {
        const char* const type = basic[bytes.below(basic.size())];
        const std::string signature = std::string("a") + type;
        sd_bus_message_open_container(message, 'v', signature.c_str());
        append_array(message, type, bytes, depth);
    } else if (kind == basic.size() + 3) {
        sd_bus_message_open_container(message, 'v', "v");
        append_variant(message, bytes, depth + 1);
    } else {
        sd_bus_message_open_container(message, 'v', basic[kind]);
        if (basic[kind][0] == 's') {
            const std::string text(bytes.text(bytes.below(32)));
            if (sd_bus_message_append_basic(message, 's', text.c_str()) < 0) {
                sd_bus_message_append_basic(message, 's', "");
            }
        } else {
            append_value(message, basic[kind], bytes);
        }
    }
    sd_bus_message_close_container(message);
}

class Builder final : public dbus::EntrySink {
public:
    void value(std::string_view key, const tocsin::Scalar& value) override { builder_.set(key, value); }
    void check() {
        const auto event = builder_.finish();
        if (event && !event->payload.empty()) {
            const auto again = tocsin::json::minify(event->payload);
            expect(again && *again == event->payload, "a payload that was taken is minified JSON");
        }
    }
    void refuse(std::string_view, std::string reason) override { expect(!reason.empty(), "a refusal has a reason"); }

private:
    tocsin::IntakeRules rules_{};
    tocsin::EventBuilder builder_{rules_, 1'767'322'804'000'000};
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sd_bus_message* raw = nullptr;
    expect(sd_bus_message_new_signal(bus(), &raw, "/a", "a.b", "C") >= 0, "a message begins");
    const dbus::Message message(raw);
    Bytes bytes(data, size);
    append_entries(raw, bytes, 0);
    if (sd_bus_message_seal(raw, 1, 0) < 0) {
        return 0; // deeper than the bus allows
    }
    for (const auto arrays : {dbus::Arrays::json, dbus::Arrays::repeated}) {
        expect(sd_bus_message_rewind(raw, 1) >= 0, "it is read from its start");
        Builder sink;
        if (dbus::read_entries(raw, arrays, sink)) {
            sink.check();
        }
    }
    return 0;
}
