// SPDX-License-Identifier: Apache-2.0
// Heartbeats that keep what they are told and answer when a test says so, and senders over real sockets.
#pragma once

#include "core/clock.hpp"
#include "core/fd.hpp"
#include "core/ports.hpp"

#include <array>
#include <cstring>
#include <deque>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <vector>

namespace tocsin::ipc::notify::test {

class FakeClock final : public Clock {
public:
    std::int64_t wall_us() const override { return wall; }
    std::int64_t boot_us() const override { return boot; }
    std::int64_t wall = 1'767'322'804'000'000;
    std::int64_t boot = 1'000'000'000;
};

class FakeHeartbeats final : public Heartbeats {
public:
    void beat(Beat beat, Done<Watch> done) override {
        beats_seen.push_back(beat);
        answer(beat.key, std::move(done));
    }
    void act(const WatchKey& key, WatchAct, Done<Watch> done) override { answer(key, std::move(done)); }
    // Answers the oldest one that is held.
    void settle(Result<Watch> result) {
        Done<Watch> done = std::move(held.front());
        held.pop_front();
        done(std::move(result));
    }
    Result<std::vector<TableChange>> beats(const std::vector<Beat>&) override { return std::vector<TableChange>{}; }
    Result<ListPage<Watch>> list(const ListFilter&, std::size_t, const std::string&) const override {
        return ListPage<Watch>{};
    }
    std::optional<Watch> find(const WatchKey&) const override { return std::nullopt; }
    std::map<WatchState, std::size_t> counts() const override { return {}; }
    std::vector<WatchKey> urgent(std::size_t) const override { return {}; }
    std::unique_ptr<Subscription> on_change(std::function<void(const Watch&)>) override { return nullptr; }

    std::vector<Beat> beats_seen{};
    std::deque<Done<Watch>> held{};
    std::optional<Error> refusal{};
    bool hold = false;

private:
    void answer(const WatchKey& key, Done<Watch> done) {
        if (hold) {
            held.push_back(std::move(done));
        } else if (refusal) {
            done(std::unexpected(*refusal));
        } else {
            done(Watch{.key = key});
        }
    }
};

// Sends to an unconnected or connected datagram socket, with descriptors; false when the kernel refuses.
inline bool send_with(int from, std::string_view text, const std::vector<int>& descriptors = {},
                      const sockaddr_un* to = nullptr) {
    alignas(cmsghdr) std::array<unsigned char, CMSG_SPACE(253 * sizeof(int))> control{};
    iovec part{const_cast<char*>(text.data()), text.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (to != nullptr) {
        header.msg_name = const_cast<sockaddr_un*>(to);
        header.msg_namelen = sizeof *to;
    }
    if (!descriptors.empty()) {
        header.msg_control = control.data();
        header.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
        cmsghdr* rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
        std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size() * sizeof(int));
    }
    return ::sendmsg(from, &header, MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(text.size());
}

inline std::size_t open_descriptors() {
    std::size_t count = 0;
    std::error_code error;
    for (auto at = std::filesystem::directory_iterator("/proc/self/fd", error);
         at != std::filesystem::directory_iterator(); at.increment(error)) {
        ++count;
    }
    return count;
}

// Whether the other end of a pipe is closed everywhere.
inline bool hung_up(int reading_end) {
    char byte = 0;
    return ::read(reading_end, &byte, 1) == 0;
}

} // namespace tocsin::ipc::notify::test
