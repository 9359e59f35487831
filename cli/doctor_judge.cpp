// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor_judge.hpp"

#include "cli/metrics.hpp"
#include "cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tocsin::cli {
namespace {

constexpr std::int64_t clock_ahead_us = 300'000'000; // events later than that are of a clock that is wrong
constexpr double room_short = 0.2;                   // of what the store may fill
constexpr double slow_commit_s = 0.1;                // on average: everybody waits for that
constexpr std::uint64_t queue_least = 64;            // datagrams and connections that wait for a daemon that restarts
constexpr std::uint64_t open_files_least = 4'096;

struct Remedy {
    std::string_view kind;
    std::string_view text;
};

constexpr std::array remedies = std::to_array<Remedy>({
    {"store-full", "free space, raise store.max_bytes, or shorten store.retention; intake resumes by itself"},
    {"store-read-only", "look at the disk (journalctl -k), then systemctl restart tocsind"},
    {"store-sealing", "look at the disk (journalctl -k), then systemctl restart tocsind; events are kept meanwhile"},
    {"jobs-helper", "systemctl start tocsin-spark.socket"},
    {"jobs-queue", "tocsinctl jobs shows what holds it up; cancel it, or raise jobs.queue"},
    {"job-limits", "give this machine the cgroup controllers memory and pids; scripts run without those limits"},
    {"notify", "systemctl restart tocsind.socket"},
    {"deadman", "look at the address in [deadman] and at the network"},
    {"listen.http", "see who has the address (ss -ltnp), or change [listen] http"},
    {"compat.listen", "see who has the address (ss -ltnp), or change [compat] listen"},
});

struct Expected {
    std::string_view path;
    std::string_view owner;
    std::string_view group;
    unsigned mode;
    bool exact;           // false: less is as good
    std::string_view fix; // in place of chown and chmod
};

constexpr std::string_view make_sockets = "systemctl restart tocsind.socket";
constexpr std::array expected_files = std::to_array<Expected>({
    {"/run/tocsin/tocsin.sock", "root", "tocsin", 0660, true, make_sockets},
    {"/run/tocsin/notify", "root", "tocsin", 0660, true, make_sockets},
    {"/var/lib/tocsin", "tocsin", "tocsin", 0700, true, "systemctl restart tocsind"},
    {"/etc/tocsin/conf.d", "root", "tocsin", 0750, false, "systemd-tmpfiles --create tocsin.conf"},
    {"/etc/tocsin/credentials", "root", "root", 0700, false, "systemd-tmpfiles --create tocsin.conf"},
    {"/etc/tocsin/tocsin.toml", "root", "root", 0644, false, {}},
});

std::string reason_of(const Error& error) {
    return error.object.empty() ? error.reason : error.object + ": " + error.reason;
}

Finding judge_answer(const DaemonFacts& facts) {
    if (!facts.status) {
        return {"daemon", Verdict::problem, reason_of(facts.status.error()),
                facts.installed ? "systemctl status tocsind tocsind.socket; journalctl -u tocsind" : "is it running?"};
    }
    const Value& status = *facts.status;
    const std::string version = status["version"].text();
    if (version != TOCSIN_VERSION) {
        return {"daemon", Verdict::warning, fmt::format("runs as {}, this program is {}", version, TOCSIN_VERSION),
                "systemctl restart tocsind"};
    }
    return {"daemon", Verdict::ok, fmt::format("version {} answers", version), {}};
}

void judge_degraded(const Value& status, Findings& findings) {
    for (const Value& reason : status["degraded"].items()) {
        findings.push_back({"degraded", Verdict::problem, reason.text(), degraded_remedy(reason.text())});
    }
    if (status["degraded"].items().empty()) {
        findings.push_back({"degraded", Verdict::ok, "nothing is", {}});
    }
}

Finding judge_disk(const DaemonFacts& facts) {
    if (!facts.metrics) {
        return {"disk", Verdict::unknown, reason_of(facts.metrics.error()), {}};
    }
    const auto bytes = plain_count(*facts.metrics, "tocsin_store_bytes");
    const auto free = plain_count(*facts.metrics, "tocsin_store_free_bytes");
    const auto limit = plain_count(*facts.metrics, "tocsin_store_limit_bytes");
    if (!bytes || !free || !limit || *limit == 0) {
        return {"disk", Verdict::unknown, "the daemon does not say how large its store may grow", {}};
    }
    const std::uint64_t used = *bytes - std::min(*bytes, *free);
    const std::uint64_t room = *limit - std::min(*limit, used);
    const std::string said = fmt::format("the store has {} of {} left (store.max_bytes, store.keep_free)",
                                         size_text(room), size_text(*limit));
    if (static_cast<double>(room) < room_short * static_cast<double>(*limit)) {
        return {"disk", Verdict::warning, said,
                "when it is used up, older events go where store.retention lets them, and intake is refused where not"};
    }
    return {"disk", Verdict::ok, said, {}};
}

// What a commit takes is what every client waits for.
Finding judge_store(const DaemonFacts& facts) {
    const auto seconds = facts.metrics ? plain_number(*facts.metrics, "tocsin_commit_seconds_sum") : std::nullopt;
    const auto commits = facts.metrics ? plain_count(*facts.metrics, "tocsin_commit_seconds_count") : std::nullopt;
    const std::uint64_t events = (*facts.status)["event_count"].number();
    if (!seconds || !commits) {
        return {"store", Verdict::unknown, "the daemon does not say how long its commits take", {}};
    }
    const double mean = *commits == 0 ? 0 : *seconds / static_cast<double>(*commits);
    const std::string said = fmt::format("events: {}; a commit takes {:.1f} ms on average", events, mean * 1'000);
    if (mean > slow_commit_s) {
        return {"store", Verdict::warning, said, "the disk flushes slowly: iostat -x; journalctl -k"};
    }
    return {"store", Verdict::ok, said + "; tocsinctl verify reads all of it", {}};
}

Finding judge_event_times(const DaemonFacts& facts) {
    if (!facts.newest_us) {
        return {"event times", Verdict::unknown, reason_of(facts.newest_us.error()), {}};
    }
    if (*facts.newest_us > facts.now_us + clock_ahead_us) {
        return {"event times", Verdict::warning,
                fmt::format("an event claims to be of {} s from now", (*facts.newest_us - facts.now_us) / 1'000'000),
                "the clock of its detector, or of this machine, is wrong: tocsinctl query -n 5"};
    }
    return {"event times", Verdict::ok, "none is of the future", {}};
}

Finding judge_notification(const DaemonFacts& facts) {
    const std::string nobody = "nobody is notified: ";
    if (!facts.handlers) {
        return {"notification", Verdict::warning, nobody + reason_of(facts.handlers.error()),
                "watch with tocsinctl follow, or the alerts of your monitoring (examples/monitoring)"};
    }
    if ((*facts.handlers)["items"].items().empty()) {
        return {"notification", Verdict::warning, nobody + "no handler is configured", "man tocsin.toml, [[handler]]"};
    }
    return {"notification", Verdict::ok, fmt::format("{} handlers", (*facts.handlers)["items"].items().size()), {}};
}

// ---- the system ----

void judge_service(const SystemFacts& facts, Findings& findings) {
    if (!facts.service) {
        findings.push_back({"service", Verdict::unknown, facts.service_problem, {}});
        return;
    }
    const ServiceFact& service = *facts.service;
    const std::size_t before = findings.size();
    const auto add = [&findings](Verdict verdict, std::string found, std::string remedy) {
        findings.push_back({"service", verdict, std::move(found), std::move(remedy)});
    };
    if (service.active != "active") {
        add(Verdict::problem, "tocsind.service is " + service.active,
            "journalctl -u tocsind says why; then systemctl reset-failed 'tocsind.*'; systemctl start tocsind");
    }
    if (service.socket_active != "active") {
        add(Verdict::problem, "tocsind.socket is " + service.socket_active, "systemctl start tocsind.socket tocsind");
    }
    if (service.enabled != "enabled") {
        add(Verdict::warning, "it is not started when the machine starts (" + service.enabled + ")",
            "systemctl enable tocsind");
    }
    if (service.needs_reload) {
        add(Verdict::warning, "its unit has changed since it was read",
            "systemctl daemon-reload; systemctl restart tocsind");
    }
    if (service.restarts.value_or(0) > 0) {
        add(Verdict::warning, fmt::format("it was started again after a failure {} times", *service.restarts),
            "journalctl -u tocsind -p warning says why");
    }
    if (service.open_files.value_or(open_files_least) < open_files_least) {
        add(Verdict::warning,
            fmt::format("LimitNOFILE= is {}: so few files serve few connections", *service.open_files),
            "raise it: systemctl edit tocsind");
    }
    if (!service.restarts || !service.open_files) {
        add(Verdict::unknown, "the service manager does not say all of it", {});
    }
    if (findings.size() == before) {
        add(Verdict::ok, "runs, and starts with the machine", {});
    }
}

Finding judge_bus(const SystemFacts& facts) {
    if (!facts.bus) {
        return {"bus", Verdict::problem, "there is no system bus: clients of D-Bus are not served",
                "systemctl start dbus.socket; tocsinctl and HTTP work without it"};
    }
    const std::string& error = facts.bus->error;
    if (error.empty()) {
        return {"bus", Verdict::ok, "the daemon answers on the system bus", {}};
    }
    if (error.ends_with(".AccessDenied") && !facts.caller_is_member) {
        return {"bus", Verdict::unknown, "you are not in group tocsin, so its policy keeps you out",
                "usermod -aG tocsin NAME, then log in again"};
    }
    if (error.ends_with(".AccessDenied")) {
        return {"bus", Verdict::problem, "the bus does not know the daemon's policy: " + facts.bus->detail,
                "busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig"};
    }
    return {"bus", Verdict::problem, facts.bus->detail, "journalctl -u tocsind -u dbus says why"};
}

// What is wrong with one file, and what mends it.
std::optional<Finding> judge_file(const FileFact& file, const Expected& expected) {
    if (!file.exists) {
        return Finding{"permissions", Verdict::warning, fmt::format("{} is not there", file.path),
                       std::string(expected.fix)};
    }
    const bool mode = expected.exact ? file.mode == expected.mode : (file.mode & ~expected.mode) == 0;
    if (file.owner == expected.owner && file.group == expected.group && mode) {
        return std::nullopt;
    }
    const bool private_socket = expected.path.starts_with("/run/") || expected.path.starts_with("/var/");
    return Finding{"permissions", private_socket || !mode ? Verdict::problem : Verdict::warning,
                   fmt::format("{} is {}:{} {:04o}, should be {}:{} {:04o}", file.path, file.owner, file.group,
                               file.mode, expected.owner, expected.group, expected.mode),
                   fmt::format("chown {}:{} {}; chmod {:04o} {}", expected.owner, expected.group, file.path,
                               expected.mode, file.path)};
}

void judge_files(const SystemFacts& facts, Findings& findings) {
    const std::size_t before = findings.size();
    for (const Expected& expected : expected_files) {
        const auto file = std::ranges::find(facts.files, expected.path, &FileFact::path);
        if (file == facts.files.end() || (!file->exists && expected.fix.empty())) {
            continue;
        }
        if (auto finding = judge_file(*file, expected)) {
            findings.push_back(std::move(*finding));
        }
    }
    if (findings.size() == before) {
        findings.push_back(
            {"permissions", Verdict::ok, "sockets, data and configuration are whose they should be", {}});
    }
}

void judge_groups(const ServiceFact& service, Findings& findings) {
    if (!service.members) {
        findings.push_back({"groups", Verdict::unknown, "the files of units could not all be looked at", {}});
        return;
    }
    const std::size_t before = findings.size();
    for (const MemberUnit& member : *service.members) {
        const std::string who = fmt::format("{} shall be in group tocsin ({})", member.unit, member.said_in);
        if (!member.loaded) {
            findings.push_back({"groups", Verdict::problem, who + ", but the service manager does not know it",
                                fmt::format("systemctl daemon-reload; systemctl restart {}", member.unit)});
        } else if (member.running_without) {
            findings.push_back({"groups", Verdict::problem, who + ", but runs since before",
                                fmt::format("systemctl restart {}", member.unit)});
        }
    }
    if (findings.size() == before) {
        findings.push_back({"groups",
                            Verdict::ok,
                            service.members->empty() ? "no service asks for group tocsin"
                                                     : fmt::format("{} services are in it", service.members->size()),
                            {}});
    }
}

Finding judge_queue(std::string_view what, std::string_view key, std::optional<std::uint64_t> length) {
    if (!length) {
        return {"limits", Verdict::unknown, fmt::format("{} cannot be read", key), {}};
    }
    if (*length < queue_least) {
        return {"limits", Verdict::warning,
                fmt::format("{} is {}: so few {} wait while the daemon restarts", key, *length, what),
                fmt::format("sysctl -w {}=512", key)};
    }
    return {"limits", Verdict::ok, fmt::format("{} {} wait while the daemon restarts", *length, what), {}};
}

Finding judge_clock(const SystemFacts& facts) {
    if (!facts.clock_synchronized) {
        return {"clock", Verdict::unknown, "the kernel does not say whether it is synchronized", {}};
    }
    if (!*facts.clock_synchronized) {
        return {"clock", Verdict::warning, "not synchronized: times of events and deadlines of heartbeats are its own",
                "timedatectl set-ntp true, or install chrony"};
    }
    return {"clock", Verdict::ok, "synchronized", {}};
}

} // namespace

std::string_view verdict_name(Verdict verdict) {
    switch (verdict) {
    case Verdict::ok:
        return "ok";
    case Verdict::warning:
        return "warning";
    case Verdict::problem:
        return "problem";
    case Verdict::unknown:
        break;
    }
    return "unknown";
}

std::string degraded_remedy(std::string_view reason) {
    const std::string_view kind = reason.substr(0, reason.find(':'));
    const auto found = std::ranges::find(remedies, kind, &Remedy::kind);
    return found == remedies.end() ? "docs/operations.md, Degraded" : std::string(found->text);
}

Findings judge_daemon(const DaemonFacts& facts) {
    Findings findings{judge_answer(facts)};
    if (!facts.status) {
        return findings;
    }
    judge_degraded(*facts.status, findings);
    findings.push_back(judge_store(facts));
    findings.push_back(judge_disk(facts));
    findings.push_back(judge_event_times(facts));
    findings.push_back(judge_notification(facts));
    return findings;
}

Findings judge_system(const SystemFacts& facts, bool installed) {
    Findings findings;
    if (installed) {
        judge_service(facts, findings);
    }
    findings.push_back(judge_bus(facts));
    if (installed) {
        judge_files(facts, findings);
    }
    if (facts.service) {
        judge_groups(*facts.service, findings);
    }
    findings.push_back(judge_clock(facts));
    findings.push_back(judge_queue("datagrams", "net.unix.max_dgram_qlen", facts.datagram_queue));
    findings.push_back(judge_queue("connections", "net.core.somaxconn", facts.connection_queue));
    return findings;
}

} // namespace tocsin::cli
