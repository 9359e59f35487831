// SPDX-License-Identifier: Apache-2.0
// Guarded acts of others than root and the owner, decided by a stand-in for polkit on the private bus, which records
// what it is asked. The real one is asked in tests/system.
#include "dbus_fixture.hpp"

#include <grp.h>
#include <sys/syscall.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>

namespace tocsin::ipc::dbus::testing {
namespace {

constexpr std::uint32_t someone = 65534;
constexpr std::uint32_t group = 4711;
constexpr const char* heartbeat = "/org/tocsin/EventManager1/heartbeat/a/_30";
constexpr const char* job = "/org/tocsin/EventManager1/job/_31";

// Credentials belong to threads: this one becomes somebody else, as the kernel sees it when it connects.
template <typename Use> void as_user(std::uint32_t uid, std::vector<gid_t> groups, Use use) {
    std::thread other([uid, &groups, &use] {
        ASSERT_EQ(::syscall(SYS_setgroups, groups.size(), groups.data()), 0);
        ASSERT_EQ(::syscall(SYS_setresgid, uid, uid, uid), 0);
        ASSERT_EQ(::syscall(SYS_setresuid, uid, uid, uid), 0);
        use();
    });
    other.join();
}

enum class Says { yes, no, challenge, dismissed, nothing, nonsense, error };

struct Asked {
    std::string action{};
    std::string kind{};
    std::string name{};
    std::uint32_t flags = 0;
    std::string cancellation{};
};

class PolkitStandIn {
public:
    PolkitStandIn(const std::string& address, Says says) : says_(says) {
        EXPECT_GE(sd_bus_new(&bus_), 0);
        EXPECT_GE(sd_bus_set_address(bus_, address.c_str()), 0);
        EXPECT_GE(sd_bus_set_bus_client(bus_, 1), 0);
        EXPECT_GE(sd_bus_start(bus_), 0);
        EXPECT_GE(sd_bus_add_filter(bus_, nullptr, &PolkitStandIn::on_message, this), 0);
        EXPECT_GE(sd_bus_request_name(bus_, "org.freedesktop.PolicyKit1", 0), 0);
        thread_ = std::thread([this] {
            while (!end_) {
                if (sd_bus_process(bus_, nullptr) == 0) {
                    sd_bus_wait(bus_, 10'000);
                }
            }
        });
    }
    ~PolkitStandIn() {
        end_ = true;
        thread_.join();
        sd_bus_flush_close_unref(bus_);
    }
    std::vector<Asked> asked() {
        const std::lock_guard lock(mutex_);
        return asked_;
    }
    bool wait_for(std::size_t questions, std::size_t cancelled = 0) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::microseconds(patience_us), [this, questions, cancelled] {
            return asked_.size() >= questions && cancelled_.size() >= cancelled;
        });
    }
    std::vector<std::string> cancelled() {
        const std::lock_guard lock(mutex_);
        return cancelled_;
    }

private:
    static int on_message(sd_bus_message* message, void* userdata, sd_bus_error*) {
        auto& self = *static_cast<PolkitStandIn*>(userdata);
        constexpr const char* interface = "org.freedesktop.PolicyKit1.Authority";
        if (sd_bus_message_is_method_call(message, interface, "CheckAuthorization") > 0) {
            self.check(message);
            return 1;
        }
        if (sd_bus_message_is_method_call(message, interface, "CancelCheckAuthorization") > 0) {
            const char* id = "";
            sd_bus_message_read(message, "s", &id);
            const std::lock_guard lock(self.mutex_);
            self.cancelled_.emplace_back(id);
            self.changed_.notify_all();
            return 1;
        }
        return 0;
    }
    void check(sd_bus_message* message) {
        const char* kind = "";
        const char* key = "";
        const char* name = "";
        const char* action = "";
        const char* cancellation = "";
        std::uint32_t flags = 0;
        EXPECT_GE(sd_bus_message_read(message, "(sa{sv})", &kind, 1, &key, "s", &name), 0);
        EXPECT_GE(sd_bus_message_read(message, "sa{ss}us", &action, 0, &flags, &cancellation), 0);
        {
            const std::lock_guard lock(mutex_);
            asked_.push_back({action, kind, name, flags, cancellation});
            changed_.notify_all();
        }
        answer(message);
    }
    void answer(sd_bus_message* message) const {
        switch (says_) {
        case Says::nothing:
            return;
        case Says::nonsense:
            sd_bus_reply_method_return(message, "s", "yes");
            return;
        case Says::error:
            sd_bus_reply_method_errorf(message, "org.freedesktop.PolicyKit1.Error.Failed", "out of order");
            return;
        case Says::dismissed:
            sd_bus_reply_method_return(message, "(bba{ss})", 0, 1, 1, "polkit.dismissed", "true");
            return;
        default:
            sd_bus_reply_method_return(message, "(bba{ss})", static_cast<int>(says_ == Says::yes),
                                       static_cast<int>(says_ == Says::challenge), 0);
        }
    }

    Says says_;
    sd_bus* bus_ = nullptr;
    std::thread thread_{};
    std::atomic<bool> end_ = false;
    std::mutex mutex_{};
    std::condition_variable changed_{};
    std::vector<Asked> asked_{};
    std::vector<std::string> cancelled_{};
};

class PolkitTest : public DbusTest {
protected:
    void SetUp() override {
        if (::geteuid() != 0) {
            GTEST_SKIP() << "only root can be somebody else";
        }
        options.access = {0, group};
        heartbeats.watches[{"a", 0}] = Watch{.key = {"a", 0}};
        jobs.jobs[1] = Job{.id = 1, .unique_index = 1};
    }
    Answer reload(Client& client) { return client.call("Manager", "Reload", ""); }
    std::size_t reloads() {
        return on_io([this] { return manager.reloads; });
    }
};

TEST_F(PolkitTest, EachGuardedActIsAskedAboutByItsName) {
    start();
    PolkitStandIn polkit(bus.address(), Says::no);
    std::string unique;
    as_user(someone, {group}, [this, &unique] {
        Client member(bus.address());
        unique = member.unique();
        const std::uint64_t index = 1;
        for (const Answer& answer :
             std::array{reload(member), member.call("Jobs", "Run", "ts", index, "x"),
                        member.call("Jobs", "SetReport", "txs", index, std::int64_t{1}, ""),
                        member.call_at(job, "Job", "Cancel", ""), member.call_at(job, "Job", "Rerun", ""),
                        member.call_at(heartbeat, "Heartbeat", "Pause", ""),
                        member.call_at(heartbeat, "Heartbeat", "Resume", ""),
                        member.call_at(heartbeat, "Heartbeat", "Forget", "")}) {
            EXPECT_EQ(answer.error, "NotAuthorized") << answer.text();
            EXPECT_NE(answer.message.find("uid 65534 may not do this; polkit does not allow it"), std::string::npos)
                << answer.message;
        }
        EXPECT_EQ(member.call("Alerts", "Silence", "sts", "x", index, "c").error, "Unavailable") << "nothing to guard";
        EXPECT_TRUE(member.call("Events", "Count", "a{sv}", 0).ok());
    });
    std::vector<std::string> actions;
    for (const Asked& question : polkit.asked()) {
        EXPECT_EQ(question.kind + ' ' + question.name, "system-bus-name " + unique);
        EXPECT_EQ(question.flags, 0u) << "the message allows no interaction";
        ASSERT_TRUE(question.action.starts_with("org.tocsin.EventManager1."));
        actions.push_back(question.action.substr(std::string_view("org.tocsin.EventManager1.").size()));
    }
    EXPECT_EQ(actions, (std::vector<std::string>{"reload", "run", "set-report", "cancel", "rerun", "pause", "resume",
                                                 "forget"}));
    EXPECT_EQ(reloads(), 0u);
}

TEST_F(PolkitTest, AYesLetsAnybodyOnTheBusDoItAndRootIsNotAskedAbout) {
    start();
    PolkitStandIn polkit(bus.address(), Says::yes);
    as_user(someone, {}, [this] {
        Client stranger(bus.address());
        EXPECT_TRUE(reload(stranger).ok());
        EXPECT_EQ(stranger.call("Events", "Count", "a{sv}", 0).error, "NotAuthorized") << "reading is for members";
    });
    EXPECT_TRUE(reload(client()).ok());
    EXPECT_EQ(reloads(), 2u);
    EXPECT_EQ(polkit.asked().size(), 1u);
}

TEST_F(PolkitTest, APasswordIsAskedForOnlyWhereTheMessageAllowsIt) {
    start();
    PolkitStandIn polkit(bus.address(), Says::challenge);
    as_user(someone, {group}, [this] {
        Client member(bus.address());
        const Answer silent = reload(member);
        EXPECT_EQ(silent.error, "NotAuthorized");
        EXPECT_NE(silent.message.find("password of an administrator (org.tocsin.EventManager1.reload)"),
                  std::string::npos)
            << silent.message;
        const MessagePtr call = member.message(root, "Manager", "Reload");
        ASSERT_GE(sd_bus_message_set_allow_interactive_authorization(call.get(), 1), 0);
        EXPECT_NE(member.send(call).message.find("no agent asked"), std::string::npos);
    });
    const auto asked = polkit.asked();
    ASSERT_EQ(asked.size(), 2u);
    EXPECT_EQ(asked[0].flags, 0u);
    EXPECT_EQ(asked[1].flags, 1u);
    EXPECT_EQ(reloads(), 0u);
}

struct Refusal {
    Says says;
    const char* text;
};
class PolkitRefusals : public PolkitTest, public ::testing::WithParamInterface<Refusal> {};

TEST_P(PolkitRefusals, AnythingButAClearYesIsNo) {
    options.polkit_us_max = 300'000;
    start();
    PolkitStandIn polkit(bus.address(), GetParam().says);
    as_user(someone, {group}, [this] {
        Client member(bus.address());
        const Answer refused = reload(member);
        EXPECT_EQ(refused.error, "NotAuthorized") << refused.text();
        EXPECT_NE(refused.message.find(GetParam().text), std::string::npos) << refused.message;
    });
    EXPECT_EQ(reloads(), 0u);
    if (GetParam().says == Says::nothing) {
        ASSERT_TRUE(polkit.wait_for(1, 1)) << "it is told that nobody waits any more";
        EXPECT_EQ(polkit.cancelled(), std::vector{polkit.asked()[0].cancellation});
    }
}

INSTANTIATE_TEST_SUITE_P(All, PolkitRefusals,
                         ::testing::Values(Refusal{Says::no, "polkit does not allow it"},
                                           Refusal{Says::dismissed, "was dismissed"},
                                           Refusal{Says::nothing, "did not answer in time"},
                                           Refusal{Says::nonsense, "cannot be read"},
                                           Refusal{Says::error, "Failed: out of order"}));

TEST_F(PolkitTest, WherePolkitIsNotThereRootAloneDoesIt) {
    start();
    as_user(someone, {group}, [this] {
        Client member(bus.address());
        const Answer refused = reload(member);
        EXPECT_EQ(refused.error, "NotAuthorized");
        EXPECT_NE(refused.message.find("it takes root, since polkit is not there"), std::string::npos)
            << refused.message;
    });
    EXPECT_TRUE(reload(client()).ok());
    EXPECT_EQ(reloads(), 1u);
}

TEST_F(PolkitTest, WithoutAGroupNobodyIsAskedAbout) {
    options.access = {0, std::nullopt};
    start();
    PolkitStandIn polkit(bus.address(), Says::yes);
    as_user(someone, {group}, [this] {
        Client other(bus.address());
        EXPECT_EQ(reload(other).error, "NotAuthorized");
    });
    EXPECT_TRUE(polkit.asked().empty());
}

TEST_F(PolkitTest, WhoLeavesTakesHisQuestionAlong) {
    start();
    PolkitStandIn polkit(bus.address(), Says::nothing);
    as_user(someone, {group}, [this, &polkit] {
        Client member(bus.address());
        const MessagePtr call = member.message(root, "Manager", "Reload");
        ASSERT_GE(sd_bus_send(member.bus(), call.get(), nullptr), 0);
        ASSERT_TRUE(polkit.wait_for(1));
    });
    ASSERT_TRUE(polkit.wait_for(1, 1));
    EXPECT_EQ(polkit.cancelled(), std::vector{polkit.asked()[0].cancellation});
    EXPECT_TRUE(client().call("Events", "Count", "a{sv}", 0).ok()) << "nobody waits for it";
    EXPECT_EQ(reloads(), 0u);
}

TEST_F(PolkitTest, OneUsersQuestionsAreBoundedAndOthersAreAsked) {
    start();
    PolkitStandIn polkit(bus.address(), Says::nothing);
    as_user(someone, {group}, [this] {
        Client greedy(bus.address());
        for (int i = 0; i < 32; ++i) {
            const MessagePtr call = greedy.message(root, "Manager", "Reload");
            ASSERT_GE(sd_bus_send(greedy.bus(), call.get(), nullptr), 0);
        }
        const Answer refused = reload(greedy);
        EXPECT_EQ(refused.error, "LimitExceeded") << refused.text();
        EXPECT_NE(refused.message.find("try again in 1 s"), std::string::npos);
    });
    as_user(1, {group}, [this, &polkit] {
        Client other(bus.address());
        const MessagePtr call = other.message(root, "Manager", "Reload");
        ASSERT_GE(sd_bus_send(other.bus(), call.get(), nullptr), 0);
        EXPECT_TRUE(polkit.wait_for(33));
    });
}

TEST_F(PolkitTest, AStopAnswersWhoWaits) {
    start();
    PolkitStandIn polkit(bus.address(), Says::nothing);
    as_user(someone, {group}, [this, &polkit] {
        Client member(bus.address());
        const MessagePtr call = member.message(root, "Manager", "Reload");
        ASSERT_GE(sd_bus_send(member.bus(), call.get(), nullptr), 0);
        ASSERT_TRUE(polkit.wait_for(1));
        on_io([this] { service->stop(); });
    });
    EXPECT_EQ(reloads(), 0u);
}

TEST_F(PolkitTest, AReportIsTheAffairOfTheScriptThatRunsForTheEvent) {
    jobs.runs = {1, someone};
    start();
    PolkitStandIn polkit(bus.address(), Says::no);
    as_user(someone, {}, [this] {
        Client script(bus.address());
        const auto report = [&script](std::uint64_t index) {
            return script.call("Jobs", "SetReport", "txs", index, std::int64_t{5}, "");
        };
        EXPECT_TRUE(report(1).ok());
        EXPECT_EQ(report(2).error, "NotAuthorized") << "another's event";
        EXPECT_EQ(script.call("Jobs", "Run", "ts", std::uint64_t{1}, "x").error, "NotAuthorized") << "another act";
    });
    as_user(1, {}, [this] {
        Client other(bus.address());
        EXPECT_EQ(other.call("Jobs", "SetReport", "txs", std::uint64_t{1}, std::int64_t{6}, "").error, "NotAuthorized");
    });
    EXPECT_EQ(polkit.asked().size(), 3u);
    ASSERT_EQ(jobs.reports.size(), 1u);
}

} // namespace
} // namespace tocsin::ipc::dbus::testing
