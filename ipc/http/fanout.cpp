// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/fanout.hpp"

#include "core/json.hpp"
#include "ipc/http/event_text.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>

namespace tocsin::ipc::http {

Fanout::Fanout(boost::asio::io_context& io, CommitFeed& feed, const EventReader& reader, const Limits& limits)
    : io_(io), feed_(feed), reader_(reader), limits_(limits), timer_(io) {}

Fanout::~Fanout() = default;

void Fanout::join(Member& member, const std::string& question, const Filter& filter) {
    auto& audience = audiences_[question];
    if (!audience) {
        audience = std::make_unique<Audience>(Audience{question, filter, reader_.last_index()});
    }
    ++audience->members;
    member.audience_ = audience.get();
    if (members_++ == 0) {
        subscription_ = feed_.on_commit([this](const CommitNotice& notice) { committed(notice); });
    }
}

void Fanout::leave(Member& member) {
    Audience* const audience = std::exchange(member.audience_, nullptr);
    if (audience == nullptr) {
        return;
    }
    std::erase(audience->live, &member);
    std::erase(waiting_, &member);
    std::erase(due_, &member);
    member.live_ = false;
    if (--audience->members == 0) {
        audiences_.erase(audience->question);
    }
    if (--members_ == 0) {
        subscription_.reset();
    }
}

void Fanout::go_live(Member& member, std::uint64_t upto) {
    member.considered_ = upto;
    member.live_ = true;
    member.audience_->live.push_back(&member);
}

std::uint64_t Fanout::considered(const Member& member) const {
    return member.live_ ? std::max(member.considered_, member.audience_->considered) : member.considered_;
}

// Nobody joins or leaves meanwhile: members are woken later, from the loop.
void Fanout::committed(const CommitNotice& notice) {
    for (const auto& [question, audience] : audiences_) {
        tell(*audience, notice);
    }
    for (Member* const member : std::exchange(waiting_, {})) {
        make_due(*member);
    }
    schedule();
}

void Fanout::tell(Audience& audience, const CommitNotice& notice) {
    if (notice.last <= audience.considered) {
        return;
    }
    const std::uint64_t before = std::exchange(audience.considered, notice.last);
    if (notice.first > before + 1 || !notice.events) { // something between was not told: the log knows
        for (Member* const member : std::exchange(audience.live, {})) {
            fall_behind(*member, before);
        }
        return;
    }
    std::string text;
    for (const Event& event : *notice.events) {
        if (event.unique_index > before && !audience.live.empty() && audience.filter.matches(event)) {
            append_event(text, event);
        }
    }
    if (text.empty()) {
        return;
    }
    std::erase_if(audience.live, [this, &notice, &text, before](Member* member) {
        if (member->considered_ >= notice.last) {
            return false; // it had them from the log
        }
        if (member->considered_ < notice.first && member->take(text)) {
            make_due(*member);
            return false;
        }
        fall_behind(*member, before);
        return true;
    });
}

void Fanout::fall_behind(Member& member, std::uint64_t upto) {
    member.live_ = false;
    member.considered_ = std::max(member.considered_, upto);
    make_due(member);
}

void Fanout::make_due(Member& member) {
    if (!std::exchange(member.due_, true)) {
        due_.push_back(&member);
    }
}

void Fanout::schedule() {
    if (due_.empty() || std::exchange(scheduled_, true)) {
        return;
    }
    const auto pace = std::chrono::microseconds(limits_.follower_pace_us * static_cast<std::int64_t>(members_));
    const auto at = woken_at_ + pace;
    auto wake = [weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
            self->woken_at_ = boost::asio::steady_timer::clock_type::now();
            self->wake_some();
        }
    };
    if (at <= boost::asio::steady_timer::clock_type::now()) {
        return boost::asio::post(io_, std::move(wake));
    }
    timer_.expires_at(at);
    timer_.async_wait([wake = std::move(wake)](const boost::system::error_code& error) {
        if (!error) {
            wake();
        }
    });
}

// Those that become due meanwhile have their turn at the end of the queue.
void Fanout::wake_some() {
    for (std::size_t i = 0; i < limits_.followers_at_once && !due_.empty(); ++i) {
        Member* const member = due_.front();
        due_.pop_front();
        member->due_ = false;
        member->wake();
    }
    if (!due_.empty()) {
        return boost::asio::post(io_, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) {
                self->wake_some();
            }
        });
    }
    scheduled_ = false;
}

} // namespace tocsin::ipc::http
