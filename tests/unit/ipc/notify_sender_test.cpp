// SPDX-License-Identifier: Apache-2.0
// Who sent it, with real processes, credentials and pidfds; and folders that play cgroups.
#include "ipc/notify/sender.hpp"

#include "notify_fakes.hpp"

#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char** environ;

namespace tocsin::ipc::notify {
namespace {

class Folder {
public:
    Folder() {
        std::string name = ::testing::TempDir() + "tocsin-cgroup-XXXXXX";
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        path = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    // The id of a cgroup is the inode number of its folder.
    std::uint64_t add(const std::string& below) const {
        std::error_code error;
        std::filesystem::create_directories(path / below, error);
        struct stat status{};
        EXPECT_EQ(::stat((path / below).c_str(), &status), 0);
        return status.st_ino;
    }
    std::filesystem::path path;
};

TEST(CgroupUnits, AreFoundByTheirFoldersNumber) {
    const Folder root;
    const auto nginx = root.add("system.slice/nginx.service");
    const auto inner = root.add("system.slice/docker-1.scope/payload");
    const auto slice = root.add("system.slice");
    CgroupUnits units(root.path);
    EXPECT_EQ(units.unit_of(nginx, 0), "nginx.service");
    EXPECT_EQ(units.unit_of(inner, 0), "docker-1.scope");
    EXPECT_EQ(units.unit_of(slice, 0), "");
    EXPECT_EQ(units.unit_of(12345678901, 0), "");
}

TEST(CgroupUnits, AreLookedForAtMostOnceASecond) {
    const Folder root;
    CgroupUnits units(root.path);
    EXPECT_EQ(units.unit_of(1, 5'000'000), "");
    const auto late = root.add("system.slice/late.service");
    EXPECT_EQ(units.unit_of(late, 5'999'999), "");
    EXPECT_EQ(units.unit_of(late, 6'000'000), "late.service");
    std::error_code ignored;
    std::filesystem::remove_all(root.path / "system.slice", ignored);
    EXPECT_EQ(units.unit_of(late, 6'000'001), "late.service") << "remembered";
}

TEST(CgroupUnits, WithoutTheHierarchyKnowNobody) {
    EXPECT_EQ(CgroupUnits({}).unit_of(1, 0), "");
    EXPECT_EQ(CgroupUnits("/nonexistent").unit_of(1, 0), "");
}

// The receiving end of a socket pair that a child of ours can write to.
class NotifySender : public ::testing::Test {
protected:
    NotifySender() {
        int ends[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
        receiving = Fd(ends[0]);
        sending = Fd(ends[1]);
        EXPECT_TRUE(ask_for_senders(receiving.get()));
    }
    // A process that sends one line and ends at once; returns when it is gone and reaped.
    void send_from_child() const {
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, sending.get(), 1);
        char name[] = "echo";
        char text[] = "WATCHDOG=1";
        char* arguments[] = {name, text, nullptr};
        pid_t pid = -1;
        EXPECT_EQ(::posix_spawn(&pid, "/bin/echo", &actions, nullptr, arguments, environ), 0);
        ::posix_spawn_file_actions_destroy(&actions);
        EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
    }
    Datagram next() const {
        Datagram datagram;
        EXPECT_EQ(receive(receiving.get(), datagram), 0);
        return datagram;
    }
    static std::string own_name() {
        std::error_code error;
        return std::filesystem::read_symlink("/proc/self/exe", error).filename();
    }

    Fd receiving{};
    Fd sending{};
    CgroupUnits units{cgroup_root()};
};

TEST_F(NotifySender, IsKnownByCredentialsAndExecutable) {
    ASSERT_TRUE(test::send_with(sending.get(), "WATCHDOG=1"));
    const Datagram datagram = next();
    EXPECT_EQ(datagram.bytes, "WATCHDOG=1");
    ASSERT_TRUE(datagram.credentials);
    EXPECT_EQ(datagram.credentials->pid, ::getpid());
    const auto sender = identify(datagram, units, 0);
    ASSERT_TRUE(sender);
    EXPECT_EQ(sender->origin.transport, "notify");
    EXPECT_EQ(sender->origin.uid, ::getuid());
    EXPECT_EQ(sender->origin.gid, ::getgid());
    EXPECT_EQ(sender->origin.pid, static_cast<std::uint32_t>(::getpid()));
    EXPECT_EQ(sender->source, sender->origin.unit.empty() ? own_name() : sender->origin.unit);
}

TEST_F(NotifySender, ThatIsGoneIsKnownByItsCgroupWhereTheKernelSays) {
    send_from_child();
    const Datagram datagram = next();
    ASSERT_TRUE(datagram.credentials);
    EXPECT_NE(datagram.credentials->pid, ::getpid());
    const auto cgroup = cgroup_of_pidfd(datagram.pidfd.get());
    if (!cgroup) {
        GTEST_SKIP() << "this kernel gives no cgroup of a process that ended";
    }
    const Fd own(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
    EXPECT_EQ(cgroup, cgroup_of_pidfd(own.get())) << "it was started in ours";
}

TEST_F(NotifySender, WithoutCredentialsIsNobody) {
    Datagram datagram;
    datagram.bytes = "WATCHDOG=1";
    EXPECT_FALSE(identify(datagram, units, 0));
    datagram.credentials = ucred{.pid = 0, .uid = 0, .gid = 0};
    EXPECT_FALSE(identify(datagram, units, 0)) << "of another pid namespace";
}

TEST_F(NotifySender, AReusedPidIsNobody) {
    send_from_child();
    Datagram datagram = next();
    if (!datagram.pidfd.valid()) {
        GTEST_SKIP() << "this kernel gives no pidfd of a sender that is gone";
    }
    datagram.credentials->pid = ::getpid(); // as if its pid were ours now
    CgroupUnits none({});
    EXPECT_FALSE(identify(datagram, none, 0));
}

TEST_F(NotifySender, DescriptorsComeAlongAndGoWithTheDatagram) {
    const std::size_t before = test::open_descriptors();
    const std::vector<int> many(253, sending.get());
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(test::send_with(sending.get(), "FDSTORE=1", many));
        const Datagram datagram = next();
        EXPECT_EQ(datagram.descriptors.size(), many.size());
        EXPECT_TRUE(identify(datagram, units, 0)) << "the pidfd found room beside them";
    }
    EXPECT_EQ(test::open_descriptors(), before);
}

TEST_F(NotifySender, ALongDatagramIsCut) {
    ASSERT_TRUE(test::send_with(sending.get(), "X=" + std::string(100'000, 'y')));
    EXPECT_TRUE(next().cut);
    ASSERT_TRUE(test::send_with(sending.get(), "X=y"));
    EXPECT_FALSE(next().cut);
    Datagram nothing;
    EXPECT_EQ(receive(receiving.get(), nothing), EAGAIN);
}

} // namespace
} // namespace tocsin::ipc::notify
