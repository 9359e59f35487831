// SPDX-License-Identifier: Apache-2.0
// Commits, told to many streams. Those that ask the same are one audience: for it a commit is matched once and its
// events are rendered once, and a commit that has nothing for it costs none of its members anything. Streams are woken
// together, the less often the more there are, and some at a time, so that a thousand of them leave the loop to others.
#pragma once

#include "core/clock.hpp"
#include "core/ports.hpp"
#include "ipc/http/limits.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::ipc::http {

class Member;

// Streams that ask the same.
struct Audience {
    std::string question{};
    Filter filter{};
    std::uint64_t considered = 0; // every commit up to here was told
    std::size_t members = 0;
    std::vector<Member*> live{};
};

// One stream, as the fanout sees it.
class Member {
public:
    Member() = default;
    virtual ~Member() = default;
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;
    // Events that it asked for, rendered. False where there is no room: it reads them from the log, later.
    virtual bool take(std::string_view text) = 0;
    // Hand out what was taken; or read on, where it is not live.
    virtual void wake() = 0;

private:
    friend class Fanout;
    friend struct Audience;
    Audience* audience_ = nullptr;
    std::uint64_t considered_ = 0; // up to here for certain; while it is live, as far as its audience is
    bool live_ = false;
    bool due_ = false; // will be woken
};

class Fanout : public std::enable_shared_from_this<Fanout> {
public:
    Fanout(boost::asio::io_context& io, CommitFeed& feed, const EventReader& reader, const Limits& limits);
    ~Fanout();
    Fanout(const Fanout&) = delete;
    Fanout& operator=(const Fanout&) = delete;

    // `question` is the text of the filter: equal ones share. Not live yet.
    void join(Member& member, const std::string& question, const Filter& filter);
    void leave(Member& member);
    // The member has considered all up to `upto`, the newest index: commits are handed to it from now on.
    void go_live(Member& member, std::uint64_t upto);
    bool live(const Member& member) const { return member.live_; }
    bool due(const Member& member) const { return member.due_; }
    std::uint64_t considered(const Member& member) const;
    // Wakes it after the next commit.
    void wake_on_commit(Member& member) { waiting_.push_back(&member); }

    // What all members hold for their readers.
    void hold(std::size_t bytes) { held_ += bytes; }
    void release(std::size_t bytes) { held_ -= bytes; }
    bool crowded() const { return held_ >= limits_.followers_bytes; }
    std::size_t held() const { return held_; }

private:
    void committed(const CommitNotice& notice);
    void tell(Audience& audience, const CommitNotice& notice);
    void fall_behind(Member& member, std::uint64_t upto);
    void make_due(Member& member);
    void schedule();
    void wake_some();

    boost::asio::io_context& io_;
    CommitFeed& feed_;
    const EventReader& reader_;
    const Limits limits_;
    boost::asio::steady_timer timer_;
    boost::asio::steady_timer::time_point woken_at_{};
    std::map<std::string, std::unique_ptr<Audience>> audiences_{};
    std::size_t members_ = 0;
    std::vector<Member*> waiting_{}; // for a commit
    std::deque<Member*> due_{};
    bool scheduled_ = false;
    std::size_t held_ = 0;
    std::unique_ptr<Subscription> subscription_{}; // while there is a member
};

} // namespace tocsin::ipc::http
