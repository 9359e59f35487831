// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/path.hpp"

#include "ipc/dbus/handle.hpp"

#include <charconv>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace tocsin::ipc::dbus {

namespace {

constexpr const char* heartbeat_prefix = "/org/tocsin/EventManager1/heartbeat";
constexpr const char* heartbeat_template = "/org/tocsin/EventManager1/heartbeat/%/%";
constexpr const char* alert_prefix = "/org/tocsin/EventManager1/alert";
constexpr const char* job_prefix = "/org/tocsin/EventManager1/job";

struct Free {
    void operator()(char* text) const { std::free(text); }
};
using CString = std::unique_ptr<char, Free>;

template <typename T> std::optional<T> number(std::string_view text) {
    T value{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

} // namespace

namespace {

bool is_alert(const std::string& path) {
    char* raw = nullptr;
    const int done = sd_bus_path_decode(path.c_str(), alert_prefix, &raw);
    const CString id(raw);
    return done > 0 && *id != '\0';
}

} // namespace

const char* prefix_of(Place place) {
    switch (place) {
    case Place::root:
        return root_path;
    case Place::heartbeat:
        return heartbeat_prefix;
    case Place::job:
        return job_prefix;
    case Place::alert:
        return alert_prefix;
    }
    return root_path;
}

bool belongs(Place place, const std::string& path) {
    switch (place) {
    case Place::root:
        return path == root_path;
    case Place::heartbeat:
        return heartbeat_of(path).has_value();
    case Place::job:
        return job_of(path).has_value();
    case Place::alert:
        return is_alert(path);
    }
    return false;
}

std::string heartbeat_path(const WatchKey& key) {
    char* raw = nullptr;
    const std::string scid = std::to_string(key.scid);
    const int done = sd_bus_path_encode_many(&raw, heartbeat_template, key.source.c_str(), scid.c_str());
    const CString path(raw);
    return done < 0 ? std::string{} : std::string(path.get());
}

std::optional<WatchKey> heartbeat_of(const std::string& path) {
    char* raw_source = nullptr;
    char* raw_scid = nullptr;
    const int done = sd_bus_path_decode_many(path.c_str(), heartbeat_template, &raw_source, &raw_scid);
    const CString source(raw_source);
    const CString scid(raw_scid);
    if (done <= 0) {
        return std::nullopt;
    }
    const auto value = number<std::int64_t>(scid.get());
    if (!value) {
        return std::nullopt;
    }
    return WatchKey{source.get(), *value};
}

std::string job_path(std::uint64_t id) {
    char* raw = nullptr;
    const int done = sd_bus_path_encode(job_prefix, std::to_string(id).c_str(), &raw);
    const CString path(raw);
    return done < 0 ? std::string{} : std::string(path.get());
}

std::optional<std::uint64_t> job_of(const std::string& path) {
    char* raw = nullptr;
    const int done = sd_bus_path_decode(path.c_str(), job_prefix, &raw);
    const CString text(raw);
    if (done <= 0) {
        return std::nullopt;
    }
    return number<std::uint64_t>(text.get());
}

} // namespace tocsin::ipc::dbus
