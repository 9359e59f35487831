// SPDX-License-Identifier: Apache-2.0
// What is made of what was seen: each mistake of an installation is found, named and has a remedy; a good one has none.
#include "cli/doctor_judge.hpp"
#include "cli/metrics.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace tocsin::cli::test {
namespace {

constexpr std::int64_t now_us = 1'767'322'804'000'000;
const std::string quick = "tocsin_commit_seconds_sum 0.5\ntocsin_commit_seconds_count 1000\n";
const std::string space =
    "tocsin_store_bytes 3000000\ntocsin_store_free_bytes 1000000\ntocsin_store_limit_bytes 100000000\n";
const std::string room = space + quick;

Value parsed(std::string_view text) {
    return Value::parse(text).value_or(Value());
}

DaemonFacts good_daemon() {
    return {.status = parsed(R"({"version":")" TOCSIN_VERSION R"(","event_count":41,"degraded":[]})"),
            .metrics = room,
            .handlers = parsed(R"({"items":[{"name":"mail"}]})"),
            .newest_us = now_us - 1,
            .now_us = now_us,
            .installed = true};
}

SystemFacts good_system() {
    return {.service = ServiceFact{.active = "active",
                                   .enabled = "enabled",
                                   .socket_active = "active",
                                   .restarts = 0,
                                   .open_files = 8192,
                                   .members = std::vector<MemberUnit>{}},
            .bus = BusFact{},
            .files = {{"/run/tocsin/tocsin.sock", true, 0660, "root", "tocsin"},
                      {"/var/lib/tocsin", true, 0700, "tocsin", "tocsin"},
                      {"/etc/tocsin/conf.d", true, 0750, "root", "tocsin"},
                      {"/etc/tocsin/credentials", true, 0700, "root", "root"},
                      {"/etc/tocsin/tocsin.toml", true, 0600, "root", "root"}},
            .clock_synchronized = true,
            .datagram_queue = 512,
            .connection_queue = 4096,
            .caller_is_member = true};
}

const Finding* find(const Findings& findings, std::string_view check, Verdict verdict) {
    const auto found = std::ranges::find_if(
        findings, [&](const Finding& finding) { return finding.check == check && finding.verdict == verdict; });
    return found == findings.end() ? nullptr : &*found;
}

void expect_one(const Findings& findings, std::string_view check, Verdict verdict, std::string_view word,
                std::string_view remedy) {
    EXPECT_EQ(std::ranges::count_if(findings, [](const Finding& f) { return f.verdict != Verdict::ok; }), 1);
    const Finding* const found = find(findings, check, verdict);
    ASSERT_NE(found, nullptr) << check << " " << word;
    EXPECT_NE(found->found.find(word), std::string::npos) << found->found;
    EXPECT_NE(found->remedy.find(remedy), std::string::npos) << found->remedy;
}

TEST(Doctor, HasNothingToSayOfAGoodInstallation) {
    for (const Findings& findings : {judge_daemon(good_daemon()), judge_system(good_system(), true)}) {
        for (const Finding& finding : findings) {
            EXPECT_EQ(finding.verdict, Verdict::ok) << finding.check << ": " << finding.found;
            EXPECT_TRUE(finding.remedy.empty()) << finding.remedy;
        }
    }
}

TEST(Doctor, ADaemonThatDoesNotAnswerIsTheFirstProblem) {
    DaemonFacts facts = good_daemon();
    facts.status = fail(Code::unavailable, "connect", "/run/tocsin/tocsin.sock", "no daemon listens there");
    expect_one(judge_daemon(facts), "daemon", Verdict::problem, "no daemon listens", "journalctl -u tocsind");
}

TEST(Doctor, AnotherVersionOfTheDaemonIsAWarning) {
    DaemonFacts facts = good_daemon();
    facts.status = parsed(R"({"version":"9.9.9","degraded":[]})");
    expect_one(judge_daemon(facts), "daemon", Verdict::warning, "9.9.9", "systemctl restart tocsind");
}

TEST(Doctor, EachReasonWhyItIsDegradedHasARemedy) {
    DaemonFacts facts = good_daemon();
    facts.status =
        parsed(R"({"version":")" TOCSIN_VERSION R"(","degraded":["store-full: no space","jobs-helper: gone"]})");
    const Findings findings = judge_daemon(facts);
    EXPECT_EQ(std::ranges::count(findings, Verdict::problem, &Finding::verdict), 2);
    for (const std::string_view kind : {"store-full", "store-read-only", "store-sealing", "jobs-helper", "jobs-queue",
                                        "job-limits", "notify", "deadman", "listen.http", "compat.listen"}) {
        EXPECT_EQ(degraded_remedy(std::string(kind) + ": why").find("docs/"), std::string::npos) << kind;
    }
    EXPECT_NE(degraded_remedy("something-new").find("docs/operations.md"), std::string::npos);
}

TEST(Doctor, LittleRoomIsAWarning) {
    DaemonFacts facts = good_daemon();
    facts.metrics =
        quick + "tocsin_store_bytes 92160000\ntocsin_store_free_bytes 5120000\ntocsin_store_limit_bytes 102400000\n";
    expect_one(judge_daemon(facts), "disk", Verdict::warning, "14.6 MiB of 97.7 MiB", "store.retention");
    facts.metrics =
        quick + "tocsin_store_bytes 92160000\ntocsin_store_free_bytes 15360000\ntocsin_store_limit_bytes 102400000\n";
    EXPECT_NE(find(judge_daemon(facts), "disk", Verdict::ok), nullptr) << "free pages are room";
    facts.metrics = quick + "tocsin_store_bytes 90\n";
    EXPECT_NE(find(judge_daemon(facts), "disk", Verdict::unknown), nullptr) << "what is not told is not good";
}

TEST(Doctor, ASlowDiskIsAWarning) {
    DaemonFacts facts = good_daemon();
    facts.metrics = space + "tocsin_commit_seconds_sum 30.5\ntocsin_commit_seconds_count 100\n";
    expect_one(judge_daemon(facts), "store", Verdict::warning, "305.0 ms", "iostat");
    facts.metrics = space + "tocsin_commit_seconds_sum 0\ntocsin_commit_seconds_count 0\n";
    EXPECT_NE(find(judge_daemon(facts), "store", Verdict::ok), nullptr) << "none was made yet";
}

TEST(Doctor, AnEventOfTheFutureIsAWarning) {
    DaemonFacts facts = good_daemon();
    facts.newest_us = now_us + 300'000'001;
    expect_one(judge_daemon(facts), "event times", Verdict::warning, "300 s", "clock");
}

TEST(Doctor, ThatNobodyIsNotifiedIsSaid) {
    DaemonFacts facts = good_daemon();
    facts.handlers = parsed(R"({"items":[]})");
    expect_one(judge_daemon(facts), "notification", Verdict::warning, "nobody is notified", "[[handler]]");
    facts.handlers = fail(Code::unavailable, "", "", "handlers are not available in this version");
    expect_one(judge_daemon(facts), "notification", Verdict::warning, "not available", "follow");
}

TEST(Doctor, AServiceThatDoesNotRunOrStart) {
    SystemFacts facts = good_system();
    facts.service->active = "failed";
    expect_one(judge_system(facts, true), "service", Verdict::problem, "failed", "journalctl");
    facts = good_system();
    facts.service->socket_active = "inactive";
    expect_one(judge_system(facts, true), "service", Verdict::problem, "tocsind.socket", "systemctl start");
    facts = good_system();
    facts.service->enabled = "disabled";
    expect_one(judge_system(facts, true), "service", Verdict::warning, "disabled", "systemctl enable");
    facts = good_system();
    facts.service->needs_reload = true;
    expect_one(judge_system(facts, true), "service", Verdict::warning, "changed", "daemon-reload");
    facts = good_system();
    facts.service->restarts = 3;
    expect_one(judge_system(facts, true), "service", Verdict::warning, "3 times", "journalctl");
    facts = good_system();
    facts.service->open_files = 1024;
    expect_one(judge_system(facts, true), "service", Verdict::warning, "1024", "systemctl edit");
    facts = good_system();
    facts.service.reset();
    facts.service_problem = "no bus";
    EXPECT_NE(find(judge_system(facts, true), "service", Verdict::unknown), nullptr);
}

TEST(Doctor, ABusWithoutThePolicyIsToldFromACallerOutside) {
    SystemFacts facts = good_system();
    facts.bus = BusFact{.error = "org.freedesktop.DBus.Error.AccessDenied", .detail = "rejected"};
    expect_one(judge_system(facts, true), "bus", Verdict::problem, "policy", "ReloadConfig");
    facts.caller_is_member = false;
    expect_one(judge_system(facts, true), "bus", Verdict::unknown, "group tocsin", "usermod");
    facts.bus->error = "org.freedesktop.DBus.Error.ServiceUnknown";
    expect_one(judge_system(facts, true), "bus", Verdict::problem, "rejected", "journalctl");
    facts.bus.reset();
    expect_one(judge_system(facts, true), "bus", Verdict::problem, "no system bus", "dbus.socket");
}

TEST(Doctor, FilesOfTheWrongOwnerOrMode) {
    const auto judged = [](std::size_t file, unsigned mode, std::string owner) {
        SystemFacts facts = good_system();
        facts.files[file].mode = mode;
        facts.files[file].owner = std::move(owner);
        return judge_system(facts, true);
    };
    expect_one(judged(0, 0666, "root"), "permissions", Verdict::problem, "0666", "chmod 0660");
    expect_one(judged(0, 0600, "root"), "permissions", Verdict::problem, "0600", "chmod 0660");
    expect_one(judged(1, 0700, "root"), "permissions", Verdict::problem, "root:tocsin 0700", "chown tocsin:tocsin");
    expect_one(judged(3, 0755, "root"), "permissions", Verdict::problem, "credentials", "chmod 0700");
    expect_one(judged(4, 0664, "root"), "permissions", Verdict::problem, "tocsin.toml", "chmod 0644");
    EXPECT_NE(find(judged(2, 0700, "root"), "permissions", Verdict::ok), nullptr) << "less than needed is no danger";
    SystemFacts facts = good_system();
    facts.files[1].exists = false;
    expect_one(judge_system(facts, true), "permissions", Verdict::warning, "not there", "restart tocsind");
    facts.files[1].exists = true;
    facts.files[4].exists = false;
    EXPECT_NE(find(judge_system(facts, true), "permissions", Verdict::ok), nullptr) << "no configuration is a good one";
}

TEST(Doctor, AServiceThatGotTheGroupTooLate) {
    SystemFacts facts = good_system();
    MemberUnit unit{.unit = "backup.service", .said_in = "/etc/x.conf", .loaded = true};
    facts.service->members = std::vector{unit};
    EXPECT_NE(find(judge_system(facts, true), "groups", Verdict::ok), nullptr);
    facts.service->members->at(0).running_without = true;
    expect_one(judge_system(facts, true), "groups", Verdict::problem, "runs since before", "restart backup.service");
    facts.service->members->at(0).loaded = false;
    expect_one(judge_system(facts, true), "groups", Verdict::problem, "/etc/x.conf", "daemon-reload");
}

TEST(Doctor, WhatCouldNotBeLookedAtIsNotGood) {
    SystemFacts facts = good_system();
    facts.service->members.reset();
    expect_one(judge_system(facts, true), "groups", Verdict::unknown, "could not", "");
    facts = good_system();
    facts.service->restarts.reset();
    expect_one(judge_system(facts, true), "service", Verdict::unknown, "does not say", "");
    DaemonFacts daemon = good_daemon();
    daemon.newest_us = fail(Code::unavailable, "", "", "too many wait");
    expect_one(judge_daemon(daemon), "event times", Verdict::unknown, "too many wait", "");
}

TEST(Doctor, FindsTheGroupInTheFileOfAUnit) {
    EXPECT_TRUE(names_group("[Service]\nSupplementaryGroups = tocsin\n", "tocsin")) << "blanks are allowed there";
    EXPECT_TRUE(names_group("[Service]\nSupplementaryGroups=adm tocsin\n", "tocsin"));
    EXPECT_FALSE(names_group("[Service]\n#SupplementaryGroups=tocsin\nSupplementaryGroups=tocsins\n", "tocsin"));
    EXPECT_TRUE(names_group("SupplementaryGroups=tocsin\nSupplementaryGroups=adm", "tocsin")) << "they add up";
    EXPECT_FALSE(names_group("SupplementaryGroups=tocsin\nSupplementaryGroups=\n", "tocsin"))
        << "an empty one takes back";
}

TEST(Doctor, ClockAndQueues) {
    SystemFacts facts = good_system();
    facts.clock_synchronized = false;
    expect_one(judge_system(facts, true), "clock", Verdict::warning, "not synchronized", "timedatectl");
    facts.clock_synchronized.reset();
    EXPECT_NE(find(judge_system(facts, true), "clock", Verdict::unknown), nullptr);
    facts = good_system();
    facts.datagram_queue = 10;
    expect_one(judge_system(facts, true), "limits", Verdict::warning, "max_dgram_qlen is 10", "sysctl -w");
}

TEST(Doctor, OfAnotherDaemonOnlyWhatConcernsIt) {
    const Findings findings = judge_system({.bus = BusFact{}, .clock_synchronized = true}, false);
    EXPECT_EQ(find(findings, "service", Verdict::unknown), nullptr);
    EXPECT_EQ(find(findings, "permissions", Verdict::ok), nullptr);
    EXPECT_NE(find(findings, "bus", Verdict::ok), nullptr);
}

TEST(Doctor, ReadsOneNumberOfTheMetrics) {
    EXPECT_EQ(plain_count(room, "tocsin_store_bytes"), 3'000'000);
    EXPECT_EQ(plain_count("tocsin_store_bytes 1e3\n", "tocsin_store_bytes"), 1'000);
    EXPECT_EQ(plain_count(room, "tocsin_store"), std::nullopt);
    EXPECT_EQ(plain_count("x NaN\n", "x"), std::nullopt);
}

} // namespace
} // namespace tocsin::cli::test
