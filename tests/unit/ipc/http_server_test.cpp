// SPDX-License-Identifier: Apache-2.0
// The listening socket: who may reach it, stale ones, conflicts, running out of descriptors, the peer's identity.
#include "http_face.hpp"

#include "ipc/http/server.hpp"
#include "ipc/http/unix_socket.hpp"

#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace tocsin::ipc::http {
namespace {

using test::Answer;
using test::Client;
using test::Face;

class HttpServer : public ::testing::Test {
protected:
    HttpServer() {
        std::string name = ::testing::TempDir() + "tocsin-http-XXXXXX";
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        directory = name;
        path = directory / "tocsin.sock";
    }
    ~HttpServer() override {
        std::error_code ignored;
        std::filesystem::remove_all(directory, ignored);
    }

    std::unique_ptr<Server> make(Options options) {
        Services services{face.log,  face.log,     face.log,        face.heartbeats,
                          face.jobs, face.manager, face.statistics, face.pictures};
        return std::make_unique<Server>(face.io, services, face.clock, std::move(options));
    }
    Options here() const {
        return {.socket = path, .listen_fd = -1, .access = {.owner_uid = ::getuid()}, .store_id = "s"};
    }

    // -1 when nobody listens there.
    int dial() const {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.native().copy(address.sun_path, sizeof address.sun_path - 1);
        if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            ::close(fd);
            return -1;
        }
        return fd;
    }
    unsigned status() {
        const int fd = dial();
        if (fd < 0) {
            return 0;
        }
        Client client(fd);
        return face.ask(client, "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n").status;
    }
    mode_t mode() const {
        struct stat found{};
        EXPECT_EQ(::lstat(path.c_str(), &found), 0);
        return found.st_mode & 07777;
    }

    std::filesystem::path directory;
    std::filesystem::path path;
    Face face{};
};

TEST_F(HttpServer, ServesForTheOwnerAlone) {
    const auto server = make(here());
    ASSERT_TRUE(server->start());
    EXPECT_EQ(mode(), 0600U);
    EXPECT_EQ(status(), 200U);
}

TEST_F(HttpServer, AGroupOpensTheSocketToIt) {
    Options options = here();
    options.access.group = ::getgid();
    const mode_t before = ::umask(0777); // whatever the mask
    const auto server = make(options);
    const auto started = server->start();
    ::umask(before);
    ASSERT_TRUE(started);
    EXPECT_EQ(mode(), 0660U);
    struct stat found{};
    ASSERT_EQ(::stat(path.c_str(), &found), 0);
    EXPECT_EQ(found.st_gid, ::getgid());
}

TEST_F(HttpServer, AStaleSocketIsReplacedALivingOneIsAConflict) {
    {
        const int stale = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.native().copy(address.sun_path, sizeof address.sun_path - 1);
        ASSERT_EQ(::bind(stale, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        ::close(stale);
    }
    const auto first = make(here());
    ASSERT_TRUE(first->start());
    const auto second = make(here());
    const auto refused = second->start();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::conflict);
    EXPECT_EQ(status(), 200U) << "the first goes on";
}

TEST_F(HttpServer, AFileInItsPlaceIsLeftAlone) {
    std::ofstream(path) << "precious";
    const auto refused = make(here())->start();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::conflict);
    EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(HttpServer, APathThatIsTooLongIsToldSo) {
    path = directory / std::string(120, 'x');
    const auto refused = make(here())->start();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::invalid_argument);
    EXPECT_NE(refused.error().reason.find("1 to 107"), std::string::npos) << refused.error().reason;
    path = directory / "none" / "tocsin.sock";
    EXPECT_FALSE(make(here())->start());
}

TEST_F(HttpServer, StopsAndTakesItsSocketAway) {
    const auto server = make(here());
    ASSERT_TRUE(server->start());
    const int fd = dial();
    ASSERT_GE(fd, 0);
    Client client(fd);
    EXPECT_EQ(face.ask(client, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").status, 200U);
    bool done = false;
    server->stop([&done] { done = true; });
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_LT(dial(), 0);
    EXPECT_TRUE(face.pump([&done] { return done; }));
    EXPECT_TRUE(face.closed(client));
    EXPECT_TRUE(make(here())->start()) << "and another can begin";
}

TEST_F(HttpServer, DoesNotTakeAwayASocketThatIsNotItsOwn) {
    const auto old = make(here());
    ASSERT_TRUE(old->start());
    std::filesystem::remove(path);
    const auto fresh = make(here());
    ASSERT_TRUE(fresh->start());
    old->stop([] {});
    EXPECT_TRUE(std::filesystem::exists(path));
    EXPECT_EQ(status(), 200U);
}

TEST_F(HttpServer, TakesAListenerThatIsHandedOver) {
    const auto fd = listen_at(path, {});
    ASSERT_TRUE(fd);
    Options options = here();
    options.socket.clear();
    options.listen_fd = *fd;
    const auto server = make(options);
    ASSERT_TRUE(server->start());
    EXPECT_EQ(status(), 200U);
    server->stop([] {});
    EXPECT_TRUE(std::filesystem::exists(path)) << "it belongs to who made it";
}

TEST_F(HttpServer, RefusesADescriptorThatIsNoListener) {
    for (const int fd : {999, STDERR_FILENO}) {
        Options options = here();
        options.listen_fd = fd;
        const auto refused = make(options)->start();
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Code::invalid_argument);
    }
}

TEST_F(HttpServer, RunningOutOfDescriptorsDoesNotMakeItDeaf) {
    const auto server = make(here());
    ASSERT_TRUE(server->start());
    EXPECT_EQ(status(), 200U);
    Client waiting(dial());
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    face.send_all(waiting, "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int i = 0; i < 5; ++i) {
        face.settle();
    }
    waiting.receive();
    EXPECT_EQ(waiting.input, "");
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(face.receive(waiting).status, 200U) << "it comes back by itself";
    EXPECT_EQ(status(), 200U);
}

TEST_F(HttpServer, ManyComeAndGo) {
    const auto server = make(here());
    ASSERT_TRUE(server->start());
    for (int round = 0; round < 3; ++round) {
        std::vector<Client> clients;
        for (int i = 0; i < 60; ++i) {
            clients.emplace_back(dial());
            face.send_all(clients.back(), "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        for (Client& client : clients) {
            EXPECT_EQ(face.receive(client).status, 200U);
        }
    }
}

TEST_F(HttpServer, ADestroyedServerClosesWhatIsOpen) {
    auto server = make(here());
    ASSERT_TRUE(server->start());
    Client client(dial());
    EXPECT_EQ(face.ask(client, "GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n").status, 200U);
    EXPECT_EQ(face.log.followers(), 1U);
    server.reset();
    EXPECT_EQ(face.log.followers(), 0U);
    EXPECT_TRUE(face.closed(client));
}

TEST(HttpPeer, IsWhoTheKernelSays) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    const Client one(ends[0]);
    const Client two(ends[1]);
    const auto peer = peer_of(ends[0]);
    ASSERT_TRUE(peer);
    const Caller& caller = (*peer)->caller;
    EXPECT_EQ(caller.uid, ::getuid());
    EXPECT_TRUE(std::ranges::find(caller.groups, ::getgid()) != caller.groups.end());
    EXPECT_EQ(caller.origin.transport, "http");
    EXPECT_EQ(caller.origin.pid, static_cast<std::uint32_t>(::getpid()));
    EXPECT_EQ(caller.origin.executable, "") << "looked up when it is asked for";
    EXPECT_EQ((*peer)->origin().executable, std::filesystem::read_symlink("/proc/self/exe").string());
    EXPECT_FALSE(peer_of(-1));
}

} // namespace
} // namespace tocsin::ipc::http
