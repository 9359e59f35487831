// SPDX-License-Identifier: Apache-2.0
#include "storage/reader_pool.hpp"

#include <algorithm>
#include <exception>

namespace tocsin::storage {

namespace {
constexpr std::size_t pings_max = 64;
constexpr unsigned retry_after_s = 1;

Error stopping() {
    return fail(Code::unavailable, "store", "", "the daemon is stopping; ask again later").error();
}
} // namespace

void ReaderPool::start(unsigned threads) {
    const unsigned count = std::max(1U, threads);
    seen_.assign(count, 0);
    for (std::size_t self = 0; self < count; ++self) {
        threads_.emplace_back(&ReaderPool::run, this, self);
    }
}

void ReaderPool::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
        thread.join();
    }
    threads_.clear();
    for (auto& task : std::exchange(tasks_, {})) {
        task->answer_error(stopping());
    }
}

void ReaderPool::submit(std::unique_ptr<Task> task) {
    std::optional<Error> refused;
    {
        const std::scoped_lock lock(mutex_);
        if (stopping_) {
            refused = stopping();
        } else if (tasks_.size() >= waiting_tasks_max) {
            refused = Error{.code = Code::unavailable,
                            .context = "store",
                            .object = "queries",
                            .reason = "too many wait; ask again later",
                            .retry_after_s = retry_after_s};
        } else {
            tasks_.push_back(std::move(task));
            wake_.notify_one();
            return;
        }
    }
    task->answer_error(std::move(*refused));
}

void ReaderPool::ping(std::move_only_function<void()> answer) {
    {
        const std::scoped_lock lock(mutex_);
        if (stopping_ || pings_.size() >= pings_max) {
            return;
        }
        if (idle_ == threads_.size() && tasks_.empty()) { // who waits for work hangs in nothing, and may sleep on
            post_(std::move(answer));
            return;
        }
        pings_.push_back({++ping_number_, std::move(answer)});
    }
    wake_.notify_all();
}

// Called with the mutex held.
void ReaderPool::come_by(std::size_t self) {
    seen_[self] = ping_number_;
    const std::uint64_t all = *std::ranges::min_element(seen_);
    while (!pings_.empty() && pings_.front().number <= all) {
        post_(std::move(pings_.front().answer));
        pings_.pop_front();
    }
}

bool ReaderPool::step(Task& task, ReadContext& context) {
    try {
        return task.step(context);
    } catch (const std::exception& e) {
        task.answer_error(fail(Code::unavailable, "store", "query", std::string("failed: ") + e.what()).error());
        return true;
    }
}

void ReaderPool::run(std::size_t self) {
    ReadContext context{.env = env_, .publisher = publisher_, .values = values_};
    std::unique_lock lock(mutex_);
    for (;;) {
        ++idle_;
        wake_.wait(lock, [this, self] { return stopping_ || !tasks_.empty() || seen_[self] < ping_number_; });
        --idle_;
        come_by(self);
        if (stopping_) {
            return;
        }
        if (tasks_.empty()) {
            continue;
        }
        std::unique_ptr<Task> task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        if (step(*task, context)) {
            task.reset();
        }
        lock.lock();
        if (task) {
            tasks_.push_back(std::move(task));
        }
    }
}

} // namespace tocsin::storage
