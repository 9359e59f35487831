// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/hub.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <vector>

namespace tocsin::ipc::http {

Hub::Hub(boost::asio::io_context& io, std::unique_ptr<Application> application)
    : io_(io), application_(std::move(application)), packer_(io, application_->limits()), timer_(io) {
    application_->follow_on(io);
}

Admission Hub::admission(std::uint32_t uid) const {
    const Limits& limits = this->limits();
    const std::size_t all = sessions_.size() - streaming_.size();
    const auto found = by_uid_.find(uid);
    const std::size_t of_uid = found == by_uid_.end() ? 0 : found->second.connections;
    if (all >= limits.connections + limits.refused_connections ||
        of_uid >= limits.connections_per_uid + limits.refused_connections) {
        return Admission::dropped;
    }
    const bool room = all < limits.connections && of_uid < limits.connections_per_uid;
    return room ? Admission::served : Admission::refused;
}

void Hub::join(Session& session, std::uint32_t uid) {
    sessions_.insert(&session);
    ++by_uid_[uid].connections;
    arm(limits().tick_us);
}

bool Hub::become_stream(Session& session, std::uint32_t uid) {
    Share& share = by_uid_[uid];
    if (streaming_.size() >= limits().streams || share.streams >= limits().streams_per_uid) {
        return false;
    }
    streaming_.insert(&session);
    --share.connections;
    ++share.streams;
    return true;
}

void Hub::leave(Session& session, std::uint32_t uid) {
    sessions_.erase(&session);
    Share& share = by_uid_[uid];
    --(streaming_.erase(&session) != 0 ? share.streams : share.connections);
    if (share.connections + share.streams == 0) {
        by_uid_.erase(uid);
    }
    if (sessions_.empty() && stopping_) {
        stopped();
    }
}

// The timer runs only while there is a connection.
void Hub::arm(std::int64_t after_us) {
    if (armed_ || sessions_.empty()) {
        return;
    }
    armed_ = true;
    timer_.expires_after(std::chrono::microseconds(after_us));
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        if (const auto self = weak.lock(); self && !error) {
            self->tick();
        }
    });
}

void Hub::tick() {
    armed_ = false;
    const std::int64_t now = now_us();
    const std::vector<Session*> sessions(sessions_.begin(), sessions_.end());
    for (Session* const session : sessions) {
        if (sessions_.contains(session)) { // one may end another
            session->tick(now);
        }
    }
    if (stopping_ && now >= stop_deadline_us_) {
        abort_all();
        stopped();
    }
    arm(limits().tick_us);
}

void Hub::stop(std::move_only_function<void()> done) {
    stopping_ = true;
    done_ = std::move(done);
    stop_deadline_us_ = now_us() + limits().stop_us;
    const std::vector<Session*> sessions(sessions_.begin(), sessions_.end());
    for (Session* const session : sessions) {
        if (sessions_.contains(session)) {
            session->finish();
        }
    }
    if (sessions_.empty()) {
        return stopped();
    }
    armed_ = false; // setting the timer anew cancels the tick
    arm(limits().stop_us);
}

void Hub::abort_all() {
    const std::vector<Session*> sessions(sessions_.begin(), sessions_.end());
    for (Session* const session : sessions) {
        if (sessions_.contains(session)) {
            session->abort();
        }
    }
}

void Hub::stopped() {
    if (auto done = std::exchange(done_, nullptr)) {
        boost::asio::post(io_, std::move(done));
    }
}

const std::string& Hub::date_header() {
    const std::int64_t now_s = application_->clock().wall_us() / 1'000'000;
    if (now_s != date_s_) {
        date_s_ = now_s;
        const std::time_t time = now_s;
        std::tm parts{};
        ::gmtime_r(&time, &parts);
        std::array<char, 64> text{};
        const std::size_t size = std::strftime(text.data(), text.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
        date_.assign(text.data(), size);
    }
    return date_;
}

} // namespace tocsin::ipc::http
