// SPDX-License-Identifier: Apache-2.0
#include "heartbeats/watchboard.hpp"

#include "heartbeats/board.hpp"
#include "heartbeats/boot_timer.hpp"
#include "heartbeats/step_alarm.hpp"

#include <boost/asio/post.hpp>

#include <malloc.h>

namespace tocsin::heartbeats {

struct Watchboard::Impl final : Loop {
    Impl(boost::asio::io_context& context, StateStore& store, const Clock& clock, Settings settings)
        : io(context),
          board(std::make_unique<Board>(store, clock, *this, std::move(settings))),
          timer(std::make_shared<BootTimer>(context, [this] { board->wake(); })),
          step_alarm(std::make_shared<StepAlarm>(context, [this] { board->wake(); })) {}
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() override { close(); }

    Result<void> open() {
        Result<void> opened = timer->open();
        return opened ? step_alarm->open() : opened;
    }
    void close() {
        timer->close();
        step_alarm->close();
    }

    void wake_at(std::int64_t boot_us) override { timer->arm(boot_us); }
    void defer(std::move_only_function<void()> work) override { boost::asio::post(io, std::move(work)); }
    void tidy() override { ::malloc_trim(0); }

    boost::asio::io_context& io;
    std::unique_ptr<Board> board;
    std::shared_ptr<BootTimer> timer;
    std::shared_ptr<StepAlarm> step_alarm;
};

Watchboard::Watchboard(boost::asio::io_context& io, StateStore& store, const Clock& clock, Settings settings)
    : impl_(std::make_shared<Impl>(io, store, clock, std::move(settings))) {}

Watchboard::~Watchboard() = default;

Result<void> Watchboard::start() {
    if (Result<void> opened = impl_->open(); !opened) {
        return opened;
    }
    return impl_->board->start();
}

void Watchboard::stop() {
    impl_->close();
    impl_->board->stop();
}

void Watchboard::reconfigure(Settings settings) {
    impl_->board->reconfigure(std::move(settings));
}

void Watchboard::beat(Beat beat, Done<Watch> done) {
    impl_->board->beat(std::move(beat), std::move(done));
}

Result<std::vector<TableChange>> Watchboard::beats(const std::vector<Beat>& beats) {
    return impl_->board->beats(beats);
}

Result<ListPage<Watch>> Watchboard::list(const ListFilter& filter, std::size_t limit, const std::string& cursor) const {
    return impl_->board->list(filter, limit, cursor);
}

std::optional<Watch> Watchboard::find(const WatchKey& key) const {
    return impl_->board->find(key);
}

void Watchboard::act(const WatchKey& key, WatchAct act, Done<Watch> done) {
    impl_->board->act(key, act, std::move(done));
}

std::map<WatchState, std::size_t> Watchboard::counts() const {
    return impl_->board->watches().counts();
}

std::vector<WatchKey> Watchboard::urgent(std::size_t limit) const {
    return impl_->board->watches().urgent(limit);
}

std::unique_ptr<Subscription> Watchboard::on_change(std::function<void(const Watch&)> handler) {
    return impl_->board->on_change(std::move(handler));
}

} // namespace tocsin::heartbeats
