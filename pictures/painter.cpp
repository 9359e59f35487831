// SPDX-License-Identifier: Apache-2.0
#include "pictures/painter.hpp"

#include "pictures/histogram.hpp"

#include <utility>

namespace tocsin::pictures {

namespace {
constexpr unsigned retry_after_s = 1;
} // namespace

Painter::~Painter() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
        waiting_.clear();
    }
    wake_.notify_all();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void Painter::histogram(std::string event_name, std::int64_t day_us, const DayCounts& counts, PictureFormat format,
                        Done<std::string> done) {
    {
        const std::scoped_lock lock(mutex_);
        if (waiting_.size() < waiting_max) {
            if (!thread_.joinable()) {
                thread_ = std::thread(&Painter::run, this);
            }
            waiting_.push_back([this, what = Histogram{std::move(event_name), day_us, counts}, format,
                                done = std::move(done)]() mutable {
                post_([picture = draw(what, format), done = std::move(done)]() mutable { done(std::move(picture)); });
            });
            wake_.notify_one();
            return;
        }
    }
    done(std::unexpected(Error{.code = Code::unavailable,
                               .context = "picture",
                               .object = "",
                               .reason = "too many wait to be drawn; ask again later",
                               .retry_after_s = retry_after_s}));
}

void Painter::run() {
    for (;;) {
        Work work;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
            if (stopping_) {
                return;
            }
            work = std::move(waiting_.front());
            waiting_.pop_front();
        }
        work();
    }
}

} // namespace tocsin::pictures
