// SPDX-License-Identifier: Apache-2.0
// Draws on a thread of its own, which is started with the first picture: some milliseconds each would hold up the io
// thread. What waits is bounded; beyond it a picture is refused.
#pragma once

#include "core/ports.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace tocsin::pictures {

inline constexpr std::size_t waiting_max = 16;

class Painter final : public Pictures {
public:
    // `post` runs a function on the io thread, where answers belong.
    explicit Painter(std::function<void(std::move_only_function<void()>)> post) : post_(std::move(post)) {}
    ~Painter() override;
    Painter(const Painter&) = delete;
    Painter& operator=(const Painter&) = delete;

    void histogram(std::string event_name, std::int64_t day_us, const DayCounts& counts, PictureFormat format,
                   Done<std::string> done) override;

private:
    using Work = std::move_only_function<void()>;
    void run();

    std::function<void(Work)> post_;
    std::mutex mutex_{};
    std::condition_variable wake_{};
    std::deque<Work> waiting_{};
    bool stopping_ = false;
    std::thread thread_{};
};

} // namespace tocsin::pictures
