// SPDX-License-Identifier: Apache-2.0
// What the service manager and the bus say.
#include "cli/bus_handle.hpp"
#include "cli/doctor_facts.hpp"
#include "cli/options.hpp"
#include "core/limits.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <grp.h>
#include <map>
#include <memory>
#include <ranges>
#include <system_error>

namespace tocsin::cli {
namespace {

constexpr std::uint64_t bus_us = 10'000'000; // to answer, or to start the daemon
constexpr std::size_t units_max = 10'000;    // files that are looked at for drop-ins
constexpr std::size_t unit_bytes_max = 256 * limits::KiB;
constexpr const char* manager_name = "org.freedesktop.systemd1";
constexpr const char* manager_path = "/org/freedesktop/systemd1";
constexpr const char* unit_interface = "org.freedesktop.systemd1.Unit";
constexpr const char* service_interface = "org.freedesktop.systemd1.Service";
constexpr std::array<const char*, 3> unit_folders{"/etc/systemd/system", "/run/systemd/system",
                                                  "/usr/lib/systemd/system"};

Bus open_bus(int& opened) {
    sd_bus* raw = nullptr;
    opened = sd_bus_open_system(&raw);
    Bus bus(opened < 0 ? nullptr : raw);
    if (bus) {
        sd_bus_set_method_call_timeout(bus.get(), bus_us);
    }
    return bus;
}

// One unit, as the service manager has it loaded.
class Unit {
public:
    Unit(sd_bus* bus, const std::string& name) : bus_(bus) {
        sd_bus_message* reply = nullptr;
        const int done = sd_bus_call_method(bus_, manager_name, manager_path, "org.freedesktop.systemd1.Manager",
                                            "LoadUnit", nullptr, &reply, "s", name.c_str());
        const Message answer(reply);
        const char* path = nullptr;
        if (done >= 0 && sd_bus_message_read(answer.get(), "o", &path) >= 0) {
            path_ = path;
        }
    }

    bool there() const { return !path_.empty(); }

    std::string text(const char* interface, const char* property) const {
        char* value = nullptr;
        const int done =
            sd_bus_get_property_string(bus_, manager_name, path_.c_str(), interface, property, nullptr, &value);
        const BusText kept(value);
        return done < 0 ? std::string() : std::string(value);
    }

    template <typename T> std::optional<T> number(const char* interface, const char* property, char type) const {
        T value{};
        const int done =
            sd_bus_get_property_trivial(bus_, manager_name, path_.c_str(), interface, property, nullptr, type, &value);
        return done < 0 ? std::nullopt : std::optional(value);
    }

    bool needs_reload() const { return number<int>(unit_interface, "NeedDaemonReload", 'b').value_or(0) != 0; }

    bool has_group(const std::string& name) const {
        char** values = nullptr;
        const int done = sd_bus_get_property_strv(bus_, manager_name, path_.c_str(), service_interface,
                                                  "SupplementaryGroups", nullptr, &values);
        bool found = false;
        for (char** value = done < 0 ? nullptr : values; value != nullptr && *value != nullptr; ++value) {
            found = found || *value == name;
            ::free(*value); // NOLINT(cppcoreguidelines-no-malloc): of sd-bus
        }
        ::free(static_cast<void*>(values)); // NOLINT(cppcoreguidelines-no-malloc): of sd-bus
        return found;
    }

private:
    sd_bus* bus_;
    std::string path_{};
};

// "backup.service" of …/backup.service and …/backup.service.d/group.conf; empty where no single unit is meant.
std::string unit_of(const std::filesystem::path& file) {
    const std::filesystem::path folder = file.parent_path().filename();
    if (file.extension() == ".conf" && folder.extension() == ".d") {
        const std::string unit = folder.stem().string();
        return unit.ends_with(".service") && !unit.contains('@') ? unit : "";
    }
    const std::string unit = file.filename().string();
    return unit.ends_with(".service") && !unit.contains('@') ? unit : "";
}

std::string content_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::string content(unit_bytes_max, '\0');
    in.read(content.data(), static_cast<std::streamsize>(content.size()));
    content.resize(static_cast<std::size_t>(in.gcount()));
    return content;
}

// The file that says so, by unit; nullopt where not all could be looked at.
std::optional<std::map<std::string, std::string>> named_in_files(const std::string& group) {
    std::map<std::string, std::string> found;
    std::size_t seen = 0;
    for (const char* folder : unit_folders) {
        std::error_code problem;
        for (std::filesystem::recursive_directory_iterator at(folder, problem), end; !problem && at != end;
             at.increment(problem)) {
            if (++seen > units_max) {
                return std::nullopt;
            }
            std::error_code none; // a link to nowhere is no unit, and no reason to stop
            const std::string unit = at->is_regular_file(none) ? unit_of(at->path()) : "";
            if (!unit.empty() && !unit.starts_with("tocsin") && names_group(content_of(at->path()), group)) {
                found.emplace(unit, at->path().string());
            }
        }
        if (problem && problem != std::errc::no_such_file_or_directory) {
            return std::nullopt;
        }
    }
    return found;
}

// Without the group: who cannot be asked is taken to have it.
bool runs_without(std::uint32_t pid, const std::string& group_name) {
    const group* const wanted = ::getgrnam(group_name.c_str()); // NOLINT(concurrency-mt-unsafe): one thread
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    if (pid == 0 || wanted == nullptr) {
        return false;
    }
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("Groups:")) {
            const auto groups = split_words(std::string_view(line).substr(sizeof "Groups:"));
            return std::ranges::find(groups, std::to_string(wanted->gr_gid)) == groups.end();
        }
    }
    return false;
}

std::optional<std::vector<MemberUnit>> member_units(sd_bus* bus) {
    const std::string group = "tocsin";
    const auto named = named_in_files(group);
    if (!named) {
        return std::nullopt;
    }
    std::vector<MemberUnit> members;
    for (const auto& [name, file] : *named) {
        const Unit unit(bus, name);
        if (unit.there()) {
            members.push_back({.unit = name,
                               .said_in = file,
                               .loaded = unit.has_group(group) && !unit.needs_reload(),
                               .running_without = runs_without(
                                   unit.number<std::uint32_t>(service_interface, "MainPID", 'u').value_or(0), group)});
        }
    }
    return members;
}

} // namespace

bool names_group(std::string_view unit_file, std::string_view group) {
    constexpr std::string_view key = "SupplementaryGroups";
    bool named = false;
    for (const auto part : std::views::split(unit_file, '\n')) {
        const std::string_view line(part.begin(), part.end());
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos || split_words(line.substr(0, equals)) != std::vector{key}) {
            continue;
        }
        const auto groups = split_words(line.substr(equals + 1));
        named = !groups.empty() &&
                (named || std::ranges::find(groups, group) != groups.end()); // an empty one takes all back
    }
    return named;
}

std::optional<ServiceFact> service_fact(std::string& problem) {
    int opened = 0;
    const Bus bus = open_bus(opened);
    if (!bus) {
        problem = std::generic_category().message(-opened);
        return std::nullopt;
    }
    const Unit service(bus.get(), "tocsind.service");
    const Unit socket(bus.get(), "tocsind.socket");
    if (!service.there()) {
        problem = "no service manager answers on the system bus";
        return std::nullopt;
    }
    return ServiceFact{.active = service.text(unit_interface, "ActiveState"),
                       .enabled = service.text(unit_interface, "UnitFileState"),
                       .socket_active = socket.there() ? socket.text(unit_interface, "ActiveState") : "",
                       .needs_reload = service.needs_reload() || (socket.there() && socket.needs_reload()),
                       .restarts = service.number<std::uint32_t>(service_interface, "NRestarts", 'u'),
                       .open_files = service.number<std::uint64_t>(service_interface, "LimitNOFILE", 't'),
                       .members = member_units(bus.get())};
}

std::optional<BusFact> bus_fact() {
    int opened = 0;
    const Bus bus = open_bus(opened);
    if (!bus) {
        return std::nullopt;
    }
    sd_bus_error error = SD_BUS_ERROR_NULL;
    char* version = nullptr;
    const int done = sd_bus_get_property_string(bus.get(), "org.tocsin.EventManager1", "/org/tocsin/EventManager1",
                                                "org.tocsin.EventManager1.Manager", "Version", &error, &version);
    const BusText kept(version);
    BusFact fact;
    if (done < 0) {
        fact.error = error.name == nullptr ? "" : error.name;
        fact.detail = error.message == nullptr ? std::generic_category().message(-done) : error.message;
        fact.error = fact.error.empty() ? "org.freedesktop.DBus.Error.Failed" : fact.error;
    }
    sd_bus_error_free(&error);
    return fact;
}

} // namespace tocsin::cli
