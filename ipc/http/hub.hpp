// SPDX-License-Identifier: Apache-2.0
// All connections of the face: how many there may be, one timer that looks at their deadlines, and their orderly end.
// Everything runs on the io thread.
#pragma once

#include "ipc/http/application.hpp"
#include "ipc/http/packer.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace tocsin::ipc::http {

// A connection as the hub sees it.
class Session {
public:
    virtual ~Session() = default;
    virtual void tick(std::int64_t now_boot_us) = 0;
    virtual void finish() = 0; // end as soon as the answer in flight is out; streams and idle ones at once
    virtual void abort() = 0;  // end now
};

enum class Admission : std::uint8_t { served, refused, dropped };

class Hub : public std::enable_shared_from_this<Hub> {
public:
    Hub(boost::asio::io_context& io, std::unique_ptr<Application> application);

    boost::asio::io_context& io() { return io_; }
    Application& application() { return *application_; }
    Packer& packer() { return packer_; }
    const Limits& limits() const { return application_->limits(); }
    std::int64_t now_us() const { return application_->clock().boot_us(); }
    bool stopping() const { return stopping_; }
    std::size_t connections() const { return sessions_.size(); }
    std::size_t streams() const { return streaming_.size(); }

    // Room for one more of this user? Refused ones are told so; dropped ones are closed without a word.
    Admission admission(std::uint32_t uid) const;
    void join(Session& session, std::uint32_t uid);
    void leave(Session& session, std::uint32_t uid);
    // A connection becomes a stream for the rest of its life, if there is room for one more of this user.
    bool become_stream(Session& session, std::uint32_t uid);

    // "Date: …\r\n", made once a second.
    const std::string& date_header();

    void stop(std::move_only_function<void()> done);
    void abort_all();

private:
    void arm(std::int64_t after_us);
    void tick();
    void stopped();

    boost::asio::io_context& io_;
    std::unique_ptr<Application> application_;
    Packer packer_;
    boost::asio::steady_timer timer_;
    bool armed_ = false;
    struct Share {
        std::size_t connections = 0;
        std::size_t streams = 0;
    };

    std::set<Session*> sessions_{};
    std::set<Session*> streaming_{};
    std::map<std::uint32_t, Share> by_uid_{};
    std::string date_{};
    std::int64_t date_s_ = -1;
    bool stopping_ = false;
    std::int64_t stop_deadline_us_ = 0;
    std::move_only_function<void()> done_{};
};

} // namespace tocsin::ipc::http
