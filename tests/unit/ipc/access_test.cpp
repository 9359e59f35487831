// SPDX-License-Identifier: Apache-2.0
#include "ipc/access.hpp"
#include "ipc/process.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <fcntl.h>
#include <set>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

extern char** environ;

namespace tocsin::ipc {
namespace {

constexpr std::uint32_t owner = 990;
constexpr std::uint32_t group = 991;
constexpr std::uint32_t stranger = 1000;

Caller caller(std::optional<std::uint32_t> uid, std::vector<std::uint32_t> groups = {}) {
    Caller c;
    c.uid = uid;
    c.groups = std::move(groups);
    return c;
}

Standing of(const AccessPolicy& policy, const Caller& who, Action action) {
    return standing(policy, who, action);
}

TEST(Access, RootAndOwnerMayDoEverything) {
    for (const std::optional<std::uint32_t> members : {std::optional(group), std::optional<std::uint32_t>{}}) {
        const AccessPolicy policy{owner, members};
        for (const Action action : all_actions) {
            EXPECT_EQ(of(policy, caller(0), action), Standing::allowed);
            EXPECT_EQ(of(policy, caller(owner), action), Standing::allowed);
        }
    }
}

TEST(Access, MembersReadAndSubmitAndMustBeAskedAboutForTheRest) {
    const AccessPolicy policy{owner, group};
    const Caller member = caller(stranger, {stranger, group});
    EXPECT_TRUE(is_member(policy, member));
    for (const Action action : all_actions) {
        EXPECT_EQ(of(policy, member, action), is_guarded(action) ? Standing::ask : Standing::allowed);
    }
}

TEST(Access, StrangersReadAndSubmitNothing) {
    const AccessPolicy policy{owner, group};
    const Caller other = caller(stranger, {stranger, 4, 27});
    EXPECT_FALSE(is_member(policy, other));
    for (const Action action : all_actions) {
        EXPECT_EQ(of(policy, other, action), is_guarded(action) ? Standing::ask : Standing::refused);
    }
}

TEST(Access, WithoutAGroupNobodyElseIsLetInAndNobodyAsked) {
    const AccessPolicy policy{owner, std::nullopt};
    for (const Action action : all_actions) {
        EXPECT_EQ(of(policy, caller(stranger, {0, group}), action), Standing::refused);
    }
}

TEST(Access, AnUnknownUserIsRefusedEvenWithTheGroup) {
    for (const Action action : all_actions) {
        EXPECT_EQ(of({owner, group}, caller(std::nullopt, {group}), action), Standing::refused);
        EXPECT_EQ(of({0, group}, caller(std::nullopt), action), Standing::refused); // absent is not 0
    }
    EXPECT_FALSE(is_member({owner, group}, caller(std::nullopt, {group})));
}

TEST(Access, EveryActHasANameOfItsOwn) {
    std::set<std::string> seen;
    for (const Action action : all_actions) {
        EXPECT_TRUE(seen.insert(std::string(to_string(action))).second) << to_string(action);
    }
    EXPECT_EQ(to_string(Action::read), "read");
    EXPECT_EQ(to_string(Action::backup), "backup");
    EXPECT_EQ(polkit_action(Action::set_report), "org.tocsin.EventManager1.set-report");
}

TEST(Access, TheErrorSaysWhatWouldBeNeeded) {
    const Error refused = refusal({owner, group}, caller(stranger), Action::submit, "Events.Submit");
    EXPECT_EQ(refused.code, Code::not_authorized);
    EXPECT_EQ(refused.object, "Events.Submit");
    EXPECT_NE(refused.reason.find("uid 1000"), std::string::npos);
    EXPECT_NE(refused.reason.find("gid 991"), std::string::npos);
    const Error control = refusal({owner, group}, caller(stranger), Action::run, "Jobs.Run");
    EXPECT_EQ(control.reason.find("gid 991"), std::string::npos);
}

struct CgroupCase {
    std::string text;
    std::string unit;
};

TEST(Process, TheUnitComesFromTheCgroup) {
    const std::vector<CgroupCase> cases{
        {"0::/system.slice/ssh.service\n", "ssh.service"},
        {"0::/system.slice/ssh.service/child\n", "ssh.service"},
        {"0::/system.slice/system-getty.slice/getty@tty1.service\n", "getty@tty1.service"},
        {"0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope"},
        {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service\n", "user@1000.service"},
        {"0::/init.scope\n", "init.scope"},
        {"12:cpu:/system.slice/wrong.service\n1:name=systemd:/system.slice/cron.service\n", "cron.service"},
        {"0::/system.slice/_cpu.service\n", "cpu.service"},
        {"0::/docker/0123/ssh.service\n", ""}, // below something that systemd did not make
        {"0::/\n", ""},
        {"0::/system.slice/.service\n", ""},
        {"0::/system.slice/\xff.service\n", ""},
        {"", ""},
        {"garbage", ""},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(unit_of_cgroup(c.text), c.unit) << c.text;
    }
}

TEST(Process, TheStartTimeIsFoundBehindAnyCommand) {
    const std::string tail = "S 1 1 1 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 1 0 987654 1000 50\n";
    EXPECT_EQ(start_time_of_stat("17 (cat) " + tail), 987654u);
    EXPECT_EQ(start_time_of_stat("17 (a b) c) " + tail), 987654u);
    EXPECT_EQ(start_time_of_stat("17 (cat) S 1 2"), std::nullopt);
    EXPECT_EQ(start_time_of_stat("17 (cat)"), std::nullopt);
    EXPECT_EQ(start_time_of_stat(""), std::nullopt);
}

TEST(Process, ThePidOfAPidfd) {
    EXPECT_EQ(pid_of_fdinfo("pos:\t0\nflags:\t02\nPid:\t4711\nNSpid:\t4711\n"), 4711u);
    EXPECT_EQ(pid_of_fdinfo("Pid:\t-1\n"), std::nullopt);
    EXPECT_EQ(pid_of_fdinfo("pos:\t0\n"), std::nullopt);
}

// A process that lives until its descriptor is closed.
class Child {
public:
    Child() {
        int ends[2];
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, ends[0], 0);
        char name[] = "cat";
        char* arguments[] = {name, nullptr};
        EXPECT_EQ(::posix_spawn(&pid_, "/bin/cat", &actions, nullptr, arguments, environ), 0);
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(ends[0]);
        input_ = ends[1];
        pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        end();
        ::close(pidfd_);
    }
    void end() {
        if (input_ >= 0) {
            ::close(std::exchange(input_, -1));
            ::waitpid(pid_, nullptr, 0);
        }
    }
    Origin origin() const {
        Origin o;
        o.transport = "test";
        o.pid = static_cast<std::uint32_t>(pid_);
        return o;
    }
    int pidfd() const { return pidfd_; }

private:
    pid_t pid_ = -1;
    int input_ = -1;
    int pidfd_ = -1;
};

TEST(Process, TheExecutableIsRead) {
    const Child child;
    ASSERT_GE(child.pidfd(), 0);
    for (const int pidfd : {-1, child.pidfd()}) {
        Origin origin = child.origin();
        look_up_process(origin, pidfd);
        EXPECT_TRUE(origin.executable.ends_with("/cat")) << origin.executable;
    }
}

TEST(Process, APidfdOfAnotherProcessLeavesEverythingOut) {
    const Child child;
    const Child other;
    Origin origin = child.origin();
    look_up_process(origin, other.pidfd());
    EXPECT_EQ(origin.executable, "");
    EXPECT_EQ(origin.unit, "");
}

TEST(Process, AProcessThatIsGoneLeavesEverythingOut) {
    Child child;
    child.end();
    Origin origin = child.origin();
    origin.executable = "/stale";
    look_up_process(origin, child.pidfd());
    EXPECT_EQ(origin.executable, "");
    look_up_process(origin, -1);
    EXPECT_EQ(origin.executable, "");
}

TEST(Process, WithoutAPidNothingIsLookedUp) {
    Origin origin;
    origin.unit = "stale.service";
    look_up_process(origin, -1);
    EXPECT_EQ(origin.unit, "");
    origin.pid = 0;
    look_up_process(origin, -1);
    EXPECT_EQ(origin.executable, "");
}

} // namespace
} // namespace tocsin::ipc
