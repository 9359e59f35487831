// SPDX-License-Identifier: Apache-2.0
// Private to ipc/dbus: the paths of objects. Labels are encoded as sd-bus does it ("10" becomes "_310"); a path written
// by hand with the plain label ("job/10") is understood, too.
#pragma once

#include "core/heartbeat.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace tocsin::ipc::dbus {

std::string heartbeat_path(const WatchKey& key);
std::optional<WatchKey> heartbeat_of(const std::string& path); // nullopt unless it is the path of a heartbeat
std::string job_path(std::uint64_t id);
std::optional<std::uint64_t> job_of(const std::string& path);

enum class Place : std::uint8_t { root, heartbeat, job, alert };
const char* prefix_of(Place place);
bool belongs(Place place, const std::string& path);

} // namespace tocsin::ipc::dbus
