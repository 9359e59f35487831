// SPDX-License-Identifier: Apache-2.0
// A few threads that read. Work comes as tasks that run in slices of a few milliseconds and go to the back of the queue
// between them: a long query delays nobody, and no read transaction outlives its slice. The queue is bounded.
#pragma once

#include "storage/chunk_codec.hpp"
#include "storage/lmdb_env.hpp"
#include "storage/store.hpp"
#include "storage/value_lists.hpp"
#include "storage/view.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace tocsin::storage {

inline constexpr std::size_t waiting_tasks_max = 4'096;
inline constexpr std::chrono::microseconds slice_length{2'000};

// What a thread lends to the task it runs.
struct ReadContext {
    Env& env;
    const Publisher& publisher;
    ValueLists& values; // all threads'
    ChunkReader chunk{};
};

class Task {
public:
    Task() = default;
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    virtual ~Task() = default;
    // One slice; true when it has answered.
    virtual bool step(ReadContext& context) = 0;
    virtual void answer_error(Error error) = 0;
};

// A task that answers one Done through post, once.
template <typename T> class Asked : public Task {
public:
    Asked(const Post& post, Done<T> done) : post_(post), done_(std::move(done)) {}
    void answer_error(Error error) override { answer(std::unexpected(std::move(error))); }

protected:
    void answer(Result<T> result) {
        if (!done_) {
            return; // answered before
        }
        post_([done = std::move(done_), result = std::move(result)]() mutable { done(std::move(result)); });
    }

private:
    const Post& post_;
    Done<T> done_;
};

class ReaderPool {
public:
    ReaderPool(Env& env, const Publisher& publisher, const Post& post)
        : env_(env), publisher_(publisher), post_(post) {}
    ~ReaderPool() { stop(); }
    ReaderPool(const ReaderPool&) = delete;
    ReaderPool& operator=(const ReaderPool&) = delete;

    void start(unsigned threads);
    // Answers what waits with unavailable.
    void stop();
    // Refused with unavailable when too many wait.
    void submit(std::unique_ptr<Task> task);
    // Posts `answer` when every thread has come by, at once when all wait for work.
    void ping(std::move_only_function<void()> answer);

private:
    struct Ping {
        std::uint64_t number;
        std::move_only_function<void()> answer;
    };
    void run(std::size_t self);
    bool step(Task& task, ReadContext& context);
    void come_by(std::size_t self);

    Env& env_;
    const Publisher& publisher_;
    const Post& post_;
    ValueLists values_{};
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::unique_ptr<Task>> tasks_{};
    std::deque<Ping> pings_{};
    std::uint64_t ping_number_ = 0;
    std::vector<std::uint64_t> seen_{}; // ping number that each thread has come by at
    std::size_t idle_ = 0;              // threads that wait for work
    bool stopping_ = false;
    std::vector<std::thread> threads_{};
};

} // namespace tocsin::storage
