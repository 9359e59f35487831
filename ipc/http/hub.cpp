// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/hub.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <vector>

namespace tocsin::ipc::http {

Hub::Hub(boost::asio::io_context& io, std::unique_ptr<Application> application)
    : io_(io), application_(std::move(application)), timer_(io) {}

Admission Hub::admission(std::uint32_t uid) const {
    const Limits& limits = this->limits();
    if (sessions_.size() >= limits.connections + limits.refused_connections) {
        return Admission::dropped;
    }
    const auto found = by_uid_.find(uid);
    const std::size_t of_uid = found == by_uid_.end() ? 0 : found->second;
    if (of_uid >= limits.connections_per_uid + limits.refused_connections) {
        return Admission::dropped;
    }
    const bool room = sessions_.size() < limits.connections && of_uid < limits.connections_per_uid;
    return room ? Admission::served : Admission::refused;
}

void Hub::join(Session& session, std::uint32_t uid) {
    sessions_.insert(&session);
    ++by_uid_[uid];
    arm(limits().tick_us);
}

void Hub::leave(Session& session, std::uint32_t uid) {
    sessions_.erase(&session);
    if (const auto found = by_uid_.find(uid); found != by_uid_.end() && --found->second == 0) {
        by_uid_.erase(found);
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
