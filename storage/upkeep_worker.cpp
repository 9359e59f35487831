// SPDX-License-Identifier: Apache-2.0
#include "storage/upkeep_worker.hpp"

#include "core/limits.hpp"

#include <exception>
#include <utility>

namespace tocsin::storage {

namespace {
constexpr std::size_t waiting_bytes_max = 4 * limits::MiB;
} // namespace

void UpkeepWorker::start() {
    thread_ = std::thread(&UpkeepWorker::run, this);
}

void UpkeepWorker::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void UpkeepWorker::begin(Work work) {
    drop();
    const std::scoped_lock lock(mutex_);
    wanted_ = std::move(work);
    wake_.notify_all();
}

void UpkeepWorker::drop() {
    const std::scoped_lock lock(mutex_);
    ++number_;
    wanted_.reset();
    slices_.clear();
    bytes_ = 0;
    error_.reset();
    wake_.notify_all();
}

bool UpkeepWorker::has_something() const {
    const std::scoped_lock lock(mutex_);
    return !slices_.empty() || error_;
}

UpkeepWorker::Taken UpkeepWorker::take() {
    const std::scoped_lock lock(mutex_);
    Taken taken;
    if (!slices_.empty()) {
        bytes_ -= slices_.front().bytes;
        taken.slice = std::move(slices_.front());
        slices_.pop_front();
    } else {
        taken.error = std::exchange(error_, std::nullopt);
    }
    wake_.notify_all();
    return taken;
}

// ---- the thread ----

void UpkeepWorker::run() {
    for (;;) {
        Work work;
        std::uint64_t number = 0;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stopping_ || wanted_; });
            if (stopping_) {
                return;
            }
            work = std::move(*wanted_);
            wanted_.reset();
            number = number_;
        }
        try {
            const auto done = work([this, number](UpkeepSlice slice) { return hand_over(std::move(slice), number); });
            if (!done) {
                report(done.error(), number);
            }
        } catch (const std::exception& e) {
            report(fail(Code::unavailable, "upkeep", "store", e.what()).error(), number);
        }
    }
}

bool UpkeepWorker::hand_over(UpkeepSlice slice, std::uint64_t number) {
    {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this, number] { return stopping_ || number != number_ || bytes_ < waiting_bytes_max; });
        if (stopping_ || number != number_) {
            return false;
        }
        bytes_ += slice.bytes;
        slices_.push_back(std::move(slice));
    }
    ready_();
    return true;
}

void UpkeepWorker::report(Error error, std::uint64_t number) {
    {
        const std::scoped_lock lock(mutex_);
        if (number != number_) {
            return;
        }
        error_ = std::move(error);
    }
    ready_();
}

} // namespace tocsin::storage
