// SPDX-License-Identifier: Apache-2.0
// Private to ipc/dbus: values into a message. Out remembers the first failure, so that a writer needs no check at each
// step, and no text leaves that the bus would disconnect us for. JSON becomes a{sv} and av; null is left out of objects
// and is an empty av in arrays.
#pragma once

#include "core/scalar.hpp"
#include "ipc/dbus/handle.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tocsin::ipc::dbus {

// The value of a property.
using PropertyValue = std::variant<std::string, std::int64_t, std::uint64_t, std::uint32_t, std::int32_t, double,
                                   std::vector<std::string>>;

class Out {
public:
    explicit Out(sd_bus_message* message) : message_(message) {}

    void open(char type, const char* contents);
    void close();
    void text(std::string_view value);
    void path(const std::string& value);
    void integer(std::int64_t value) { basic('x', &value); }
    void counter(std::uint64_t value) { basic('t', &value); }
    void small(std::uint32_t value) { basic('u', &value); }
    void descriptor(int value) { basic('h', &value); } // duplicated
    void counters(const std::vector<std::uint64_t>& values);
    void times(std::span<const std::int64_t> values);
    void texts(const std::vector<std::string>& values);
    // {sv}, nothing for null
    void entry(std::string_view key, const Scalar& value);
    void entry(std::string_view key, const PropertyValue& value);
    void variant(const Scalar& value);
    void variant(const PropertyValue& value);
    // a{sv} of anything that has describe(object, FieldSink)
    template <typename T> void object(const T& value) {
        open('a', "{sv}");
        describe(value, [this](std::string_view key, const Scalar& field) { entry(key, field); });
        close();
    }
    template <typename T> void objects(const std::vector<T>& values) {
        open('a', "a{sv}");
        for (const T& value : values) {
            object(value);
        }
        close();
    }

    bool ok() const { return result_ >= 0; }
    int result() const { return result_; }

private:
    void basic(char type, const void* value);
    void json(std::string_view text);
    void note(int result) { result_ = result_ < 0 ? result_ : result; }

    sd_bus_message* message_;
    int result_ = 0;
};

// At least the bytes that the field takes in a message: names, signatures and padding are counted generously.
std::size_t dbus_bytes(std::string_view key, const Scalar& value);

template <typename T> std::size_t dbus_bytes(const T& object) {
    std::size_t bytes = 16;
    describe(object, [&bytes](std::string_view key, const Scalar& value) { bytes += dbus_bytes(key, value); });
    return bytes;
}

} // namespace tocsin::ipc::dbus
