// SPDX-License-Identifier: Apache-2.0
#include "dbus_fixture.hpp"

#include "ipc/dbus/path.hpp"

#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/mman.h>

namespace tocsin::ipc::dbus::testing {
namespace {

using ObjectsTest = DbusTest;

constexpr const char* properties = "org.freedesktop.DBus.Properties";

std::string heartbeat_at(const std::string& source, std::int64_t scid = 0) {
    return heartbeat_path({source, scid});
}

TEST_F(ObjectsTest, ABeatReachesTheWatches) {
    start();
    const Answer answer =
        client().call("Heartbeats", "Beat", "sa{sv}", "backup", 5, "scid", "n", -4, "interval_usec", "t",
                      std::uint64_t{60'000'000}, "grace_usec", "u", 5'000'000, "state", "s", "start", "run", "s", "r1");
    ASSERT_TRUE(answer.ok()) << answer.text();
    ASSERT_EQ(heartbeats.beats_seen.size(), 1u);
    const Beat& beat = heartbeats.beats_seen[0];
    EXPECT_EQ(beat.key, (WatchKey{"backup", -4}));
    EXPECT_EQ(beat.kind, BeatKind::start);
    EXPECT_EQ(beat.interval_us, 60'000'000);
    EXPECT_EQ(beat.grace_us, 5'000'000);
    EXPECT_EQ(beat.run, "r1");
    EXPECT_EQ(beat.time_us, clock.wall_us());
    EXPECT_EQ(beat.uid, getuid()) << "from the bus, not from the message";
}

TEST_F(ObjectsTest, WrongBeatsNameTheirOption) {
    start();
    EXPECT_EQ(client().call("Heartbeats", "Beat", "sa{sv}", "", 0).error, "InvalidArgument");
    const Answer unknown = client().call("Heartbeats", "Beat", "sa{sv}", "a", 1, "intervall", "t", std::uint64_t{1});
    EXPECT_EQ(unknown.error, "InvalidArgument");
    EXPECT_NE(unknown.message.find("intervall"), std::string::npos) << unknown.message;
    const Answer lonely = client().call("Heartbeats", "Beat", "sa{sv}", "a", 1, "zone", "s", "Europe/Berlin");
    EXPECT_EQ(lonely.error, "InvalidArgument");
    EXPECT_NE(lonely.message.find("zone"), std::string::npos) << lonely.message;
    EXPECT_EQ(on_io([this] { return manager.rejected.size(); }), 3u);
}

TEST_F(ObjectsTest, HeartbeatsAreListedInPages) {
    start();
    for (const char* source : {"a", "b", "c"}) {
        ASSERT_TRUE(client().call("Heartbeats", "Beat", "sa{sv}", source, 1, "interval_usec", "u", 60'000'000).ok());
    }
    const std::string first = client().call("Heartbeats", "List", "a{sv}us", 0, 2, "").text();
    EXPECT_NE(first.find("source:s\"a\" scid:x0 state:s\"up\" last:t1767322804000000"), std::string::npos) << first;
    EXPECT_NE(first.find("interval_s:d60"), std::string::npos) << first;
    EXPECT_NE(first.find("schedule:s\"\" zone:s\"\" next:["), std::string::npos) << first;
    EXPECT_TRUE(first.ends_with("s\"b\"")) << first;
    const std::string last = client().call("Heartbeats", "List", "a{sv}us", 0, 2, "b").text();
    EXPECT_EQ(last.find("source:s\"b\""), std::string::npos) << last;
    EXPECT_TRUE(last.ends_with("s\"\"")) << last;
    const std::string one =
        client().call("Heartbeats", "List", "a{sv}us", 1, "source", "as", 2, "b", "x", 0, "").text();
    EXPECT_EQ(one.find("source:s\"a\""), std::string::npos) << one;
    EXPECT_NE(one.find("source:s\"b\""), std::string::npos) << one;
    EXPECT_EQ(client().call("Heartbeats", "List", "a{sv}us", 1, "colour", "s", "b", 0, "").error, "InvalidArgument");
}

TEST_F(ObjectsTest, AListOfLongItemsEndsEarly) {
    const std::string status(1000, 's');
    for (int i = 0; i < 9'000; ++i) {
        WatchKey key{"source-" + std::to_string(100'000 + i), 0};
        heartbeats.watches[key] = Watch{.key = key, .status = status};
    }
    start();
    const Answer page = client().call("Heartbeats", "List", "a{sv}us", 0, 10'000, "");
    ASSERT_TRUE(page.ok()) << page.text();
    EXPECT_FALSE(page.text().ends_with("s\"\""));
}

TEST_F(ObjectsTest, AHeartbeatIsAnObject) {
    start();
    ASSERT_TRUE(client()
                    .call("Heartbeats", "Beat", "sa{sv}", "disk/á b", 2, "interval_usec", "u", 60'000'000, "status",
                          "s", "fine")
                    .ok());
    const std::string path = heartbeat_at("disk/á b");
    EXPECT_EQ(client().get(path, "Heartbeat", "Source").text(), "s\"disk/á b\"");
    EXPECT_EQ(client().get(path, "Heartbeat", "State").text(), "s\"up\"");
    EXPECT_EQ(client().get(path, "Heartbeat", "IntervalUSec").text(), "t60000000");
    const std::string all =
        client().call_at(path, properties, "GetAll", "s", "org.tocsin.EventManager1.Heartbeat").text();
    EXPECT_NE(all.find("Scid:x0"), std::string::npos) << all;
    EXPECT_NE(all.find("Status:s\"fine\""), std::string::npos) << all;
    EXPECT_NE(all.find("Misses:t0"), std::string::npos) << all;
    EXPECT_NE(all.find("Schedule:s\"\""), std::string::npos) << all;

    EXPECT_TRUE(client().call_at(path, "Heartbeat", "Pause", "").ok());
    EXPECT_EQ(client().get(path, "Heartbeat", "State").text(), "s\"paused\"");
    EXPECT_EQ(client().call_at(path, "Heartbeat", "Pause", "").error, "Conflict");
    EXPECT_TRUE(client().call_at(path, "Heartbeat", "Resume", "").ok());
    EXPECT_TRUE(client().call_at(path, "Heartbeat", "Forget", "").ok());
    EXPECT_EQ(client().call_at(path, "Heartbeat", "Forget", "").error, "NotFound");
    EXPECT_EQ(client().get(path, "Heartbeat", "State").error, "NotFound");
}

TEST_F(ObjectsTest, JobsRunAndAreObjects) {
    start();
    EXPECT_EQ(client().call("Jobs", "Run", "ts", std::uint64_t{17}, "report").text(), "o\"" + job_path(1) + "\"");
    on_io([this] {
        Job& job = jobs.jobs[1];
        job.state = JobState::succeeded;
        job.exit_status = 0;
        job.started_us = 5;
        job.report_id = 17;
        job.report_url = "file:///x";
        job.output = "hello\n";
    });
    const std::string all =
        client().call_at(job_path(1), properties, "GetAll", "s", "org.tocsin.EventManager1.Job").text();
    for (const char* part :
         {"Event:t17", "Script:s\"report\"", "State:s\"succeeded\"", "Pid:u0", "Attempt:u0", "ExitStatus:i0",
          "StartedUSec:t5", "EndedUSec:t0", "ReportId:x17", "ReportUrl:s\"file:///x\""}) {
        EXPECT_NE(all.find(part), std::string::npos) << part << " in " << all;
    }
    EXPECT_EQ(client().call_at(job_path(1), "Job", "Rerun", "").text(), "o\"" + job_path(2) + "\"");
    EXPECT_TRUE(client().call_at(job_path(2), "Job", "Cancel", "").ok());
    EXPECT_EQ(client().get(job_path(2), "Job", "State").text(), "s\"cancelled\"");
    EXPECT_EQ(client().get(job_path(2), "Job", "ExitStatus").text(), "i-1");
    const std::string list = client().call("Jobs", "List", "a{sv}us", 0, 1, "").text();
    EXPECT_NE(list.find("id:t1 unique_index:t17 script:s\"report\""), std::string::npos) << list;
    EXPECT_TRUE(list.ends_with("s\"more\"")) << list;
    for (const char* member : {"Cancel", "Rerun", "Output"}) {
        EXPECT_EQ(client().call_at(job_path(99), "Job", member, "").error, "NotFound");
    }
    EXPECT_EQ(client().get(job_path(99), "Job", "State").error, "NotFound");
}

TEST_F(ObjectsTest, ReportsAreSet) {
    start();
    EXPECT_TRUE(client().call("Jobs", "SetReport", "txs", std::uint64_t{17}, std::int64_t{4}, "http://x").ok());
    ASSERT_EQ(jobs.reports.size(), 1u);
    EXPECT_EQ(jobs.reports[0].unique_index, 17u);
    EXPECT_EQ(jobs.reports[0].report_id, 4);
    EXPECT_EQ(jobs.reports[0].url, "http://x");
}

TEST_F(ObjectsTest, OutputIsASealedMemoryFile) {
    std::string output(200'000, 'x');
    output[7] = '\0';
    jobs.jobs[3] = Job{.id = 3, .output = output};
    start();
    const Answer answer = client().call_at(job_path(3), "Job", "Output", "");
    ASSERT_TRUE(answer.ok()) << answer.text();
    int fd = -1;
    ASSERT_GT(sd_bus_message_read_basic(answer.reply.get(), 'h', &fd), 0);
    EXPECT_EQ(::fcntl(fd, F_GET_SEALS), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    std::string got(output.size() + 1, '\0');
    EXPECT_EQ(::read(fd, got.data(), got.size()), static_cast<ssize_t>(output.size()));
    got.resize(output.size());
    EXPECT_EQ(got, output);
    EXPECT_LT(::write(fd, "y", 1), 0);
}

TEST_F(ObjectsTest, TheManagerTellsAndReloads) {
    start();
    const std::string all = client().call(properties, "GetAll", "s", "org.tocsin.EventManager1.Manager").text();
    EXPECT_EQ(all,
              "{Version:s\"1.2.3\" Hostname:s\"host1\" StoreId:s\"00112233445566778899aabbccddeeff\" EventCount:t5 "
              "FirstIndex:t1 LastIndex:t9 StoreBytes:t4096 IntakeRate:d2.5 Degraded:[s\"disk-full\"]}");
    EXPECT_TRUE(client().call("Manager", "Reload", "").ok());
    on_io([this] { manager.refusal = Error{Code::invalid_argument, "config", "tocsin.toml:3", "is not a key"}; });
    const Answer refused = client().call("Manager", "Reload", "");
    EXPECT_EQ(refused.error, "InvalidArgument");
    EXPECT_EQ(refused.message, "tocsin.toml:3: is not a key");
    EXPECT_EQ(on_io([this] { return manager.reloads; }), 2u);
    EXPECT_TRUE(on_io([this] { return manager.rejected.empty(); })); // counts submissions only
}

TEST_F(ObjectsTest, ABackupGetsADescriptorOfItsOwn) {
    start();
    EXPECT_TRUE(client().call("Manager", "Backup", "h", 0).ok());
    const std::vector<int> files = on_io([this] { return manager.backup_files; });
    ASSERT_EQ(files.size(), 1U);
    EXPECT_GT(files.front(), 2); // still open behind the call
    EXPECT_GE(::fcntl(files.front(), F_GETFD), 0);
    ::close(files.front());
    on_io([this] { manager.backup_error = Error{Code::conflict, "backup", "file", "is not empty"}; });
    const Answer refused = client().call("Manager", "Backup", "h", 0);
    EXPECT_EQ(refused.error, "Conflict");
    EXPECT_EQ(refused.message, "file: is not empty");
}

TEST_F(ObjectsTest, PropertiesAnswerAsEverywhere) {
    start();
    EXPECT_EQ(client().get(root, "Manager", "Colour").error, "org.freedesktop.DBus.Error.UnknownProperty");
    EXPECT_EQ(client().get(root, "Nothing", "Colour").error, "org.freedesktop.DBus.Error.UnknownInterface");
    EXPECT_EQ(client().call(properties, "GetAll", "s", "org.tocsin.EventManager1.Nothing").error,
              "org.freedesktop.DBus.Error.UnknownInterface");
    EXPECT_EQ(client().call(properties, "GetAll", "s", "org.tocsin.EventManager1.Events").text(), "{}");
    EXPECT_EQ(client().call(properties, "Set", "ssv", "org.tocsin.EventManager1.Manager", "Version", "s", "2").error,
              "org.freedesktop.DBus.Error.PropertyReadOnly");
    EXPECT_EQ(client().get(std::string(root) + "/nowhere", "Manager", "Version").error,
              "org.freedesktop.DBus.Error.UnknownObject");
    EXPECT_EQ(client().call("Events", "Nothing", "").error, "org.freedesktop.DBus.Error.UnknownMethod");
    EXPECT_EQ(client().call("Events", "Get", "s", "x").error, "org.freedesktop.DBus.Error.InvalidArgs");
    EXPECT_EQ(client().call_at(std::string(root) + "/job/x", "Job", "Cancel", "").error,
              "org.freedesktop.DBus.Error.UnknownObject");
}

TEST_F(ObjectsTest, WhatIsNotThereYetSaysSo) {
    start();
    EXPECT_EQ(client().call("Alerts", "Silence", "sts", "x", std::uint64_t{1}, "c").error, "Unavailable");
    EXPECT_EQ(client().call("Metrics", "RecordJson", "ay", 1, 0x7b).error, "Unavailable");
    EXPECT_EQ(client().call("Inputs", "Test", "a{sv}", 0).error, "Unavailable");
    EXPECT_EQ(client().call("Rules", "Put", "s", "").error, "Unavailable");
    EXPECT_EQ(client().call("Handlers", "Dead", "a{sv}us", 0, 0, "").error, "Unavailable");
    const std::string alert = std::string(root) + "/alert/a_2d9";
    EXPECT_EQ(client().call_at(alert, "Alert", "Acknowledge", "a{sv}", 0).error, "Unavailable");
    EXPECT_EQ(client().call_at(alert, "Alert", "Snooze", "ts", std::uint64_t{1}, "c").error, "Unavailable");
    EXPECT_EQ(client().get(alert, "Alert", "State").error, "Unavailable");
    EXPECT_EQ(client()
                  .call_at(alert, "org.freedesktop.DBus.Properties", "GetAll", "s", "org.tocsin.EventManager1.Alert")
                  .error,
              "Unavailable");
}

TEST_F(ObjectsTest, TheTreeShowsTheMostUrgentOnly) {
    for (std::uint64_t id = 1; id <= 1'500; ++id) {
        jobs.jobs[id] = Job{.id = id};
    }
    const WatchKey key{"a b", -1};
    heartbeats.watches[key] = Watch{.key = key};
    start();
    const auto introspect = [this](const std::string& path) {
        const Answer answer = client().call_at(path, "org.freedesktop.DBus.Introspectable", "Introspect", "");
        return answer.text();
    };
    const auto nodes = [](const std::string& xml) {
        std::size_t count = 0;
        for (auto at = xml.find("<node name="); at != std::string::npos; at = xml.find("<node name=", at + 1)) {
            ++count;
        }
        return count;
    };
    const std::string all = introspect(root);
    EXPECT_NE(all.find("<node name=\"job\"/>"), std::string::npos);
    EXPECT_NE(all.find("<node name=\"heartbeat\"/>"), std::string::npos);
    EXPECT_EQ(nodes(introspect(std::string(root) + "/job")), 1'000u);
    EXPECT_NE(introspect(std::string(root) + "/heartbeat").find("a_20b/_2d1"), std::string::npos);
}

// The interfaces of an object as they stand in the file: without the header, the standard interfaces and the child
// nodes.
std::string normalised(const std::string& xml) {
    std::istringstream lines(xml);
    std::string line;
    std::string kept;
    bool ours = false;
    while (std::getline(lines, line)) {
        line.erase(0, line.find_first_not_of(" \t"));
        if (line.starts_with("<interface name=\"org.tocsin.")) {
            ours = true;
        }
        if (ours) {
            kept += line + "\n";
        }
        if (line == "</interface>") {
            ours = false;
        }
    }
    return kept;
}

struct Exported {
    const char* file;
    std::string path;
};

class IntrospectionTest : public DbusTest, public ::testing::WithParamInterface<Exported> {};

TEST_P(IntrospectionTest, EqualsTheCheckedInFile) {
    start();
    const Answer answer = client().call_at(GetParam().path, "org.freedesktop.DBus.Introspectable", "Introspect", "");
    ASSERT_TRUE(answer.ok()) << answer.text();
    const char* xml = nullptr;
    ASSERT_GT(sd_bus_message_read_basic(answer.reply.get(), 's', &xml), 0);
    std::ifstream file(std::string("ipc/dbus/") + GetParam().file);
    const std::string wanted{std::istreambuf_iterator<char>(file), {}};
    EXPECT_FALSE(normalised(wanted).empty());
    EXPECT_EQ(normalised(xml), normalised(wanted)) << "the contract is ipc/dbus/" << GetParam().file;
}

INSTANTIATE_TEST_SUITE_P(Objects, IntrospectionTest,
                         ::testing::Values(Exported{"org.tocsin.EventManager1.xml", root},
                                           Exported{"org.tocsin.EventManager1.Heartbeat.xml", heartbeat_path({"a", 0})},
                                           Exported{"org.tocsin.EventManager1.Job.xml", job_path(1)},
                                           Exported{"org.tocsin.EventManager1.Alert.xml",
                                                    "/org/tocsin/EventManager1/alert/a_2d9"}),
                         [](const auto& one) { return std::to_string(one.index); });

} // namespace
} // namespace tocsin::ipc::dbus::testing
