// SPDX-License-Identifier: Apache-2.0
#include "pictures/painter.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <vector>

namespace tocsin::pictures {
namespace {

constexpr std::chrono::seconds patience{60};

TEST(Painter, AnswersThroughPost) {
    std::promise<std::thread::id> posted_by;
    std::promise<Result<std::string>> answer;
    Painter painter([&posted_by](std::move_only_function<void()> work) {
        posted_by.set_value(std::this_thread::get_id());
        work();
    });
    painter.histogram("n", 0, DayCounts{}, PictureFormat::png,
                      [&answer](Result<std::string> picture) { answer.set_value(std::move(picture)); });
    auto drawn = answer.get_future();
    ASSERT_EQ(drawn.wait_for(patience), std::future_status::ready);
    EXPECT_TRUE(drawn.get());
    EXPECT_NE(posted_by.get_future().get(), std::this_thread::get_id());
}

TEST(Painter, RefusesBeyondWhatMayWaitAndEndsWithTheRest) {
    std::promise<void> go_on;
    std::shared_future<void> may_go_on = go_on.get_future().share();
    std::promise<void> first;
    bool told = false;
    auto refused = std::make_shared<unsigned>(0);
    {
        Painter painter([&](const std::move_only_function<void()>&) { // the answers themselves go nowhere
            if (!std::exchange(told, true)) {
                first.set_value();
                may_go_on.wait();
            }
        });
        const auto ask = [&painter, refused] {
            painter.histogram("n", 0, DayCounts{}, PictureFormat::svg, [refused](const Result<std::string>& picture) {
                *refused += !picture && picture.error().code == Code::unavailable ? 1U : 0U;
            });
        };
        ask();
        auto begun = first.get_future();
        ASSERT_EQ(begun.wait_for(patience), std::future_status::ready);
        for (std::size_t i = 0; i < waiting_max; ++i) {
            ask();
        }
        EXPECT_EQ(*refused, 0U);
        ask();
        EXPECT_EQ(*refused, 1U);
        go_on.set_value();
    }
    EXPECT_EQ(refused.use_count(), 1);
}

} // namespace
} // namespace tocsin::pictures
