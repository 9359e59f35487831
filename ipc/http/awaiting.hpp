// SPDX-License-Identifier: Apache-2.0
// From callbacks to coroutines: a Slot is given one value, before or after a coroutine waits for it. Resumption is
// always posted, never nested in the one who gives.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the frame of a coroutine for a plain allocation (GCC bug 109224).
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace tocsin::ipc::http {

using Executor = boost::asio::io_context::executor_type;
template <typename T> using Task = boost::asio::awaitable<T, Executor>;
using Awaiting = boost::asio::use_awaitable_t<Executor>;

template <typename T> class Slot {
public:
    void set(T value) {
        if (auto waiter = std::exchange(waiter_, nullptr)) {
            waiter(std::move(value));
        } else {
            value_.emplace(std::move(value));
        }
    }

    static Task<T> wait(std::shared_ptr<Slot> slot) {
        if (slot->value_) {
            co_return std::move(*std::exchange(slot->value_, std::nullopt));
        }
        Awaiting token{};
        co_return co_await boost::asio::async_initiate<Awaiting, void(T)>(Park{slot.get()}, token);
    }

private:
    struct Park {
        Slot* slot;
        template <typename CompletionHandler> void operator()(CompletionHandler handler) {
            slot->waiter_ = [handler = std::move(handler)](T value) mutable {
                const auto executor = boost::asio::get_associated_executor(handler);
                boost::asio::post(executor, Resume<CompletionHandler>{std::move(handler), std::move(value)});
            };
        }
    };
    template <typename CompletionHandler> struct Resume {
        CompletionHandler handler;
        T value;
        void operator()() { std::move(handler)(std::move(value)); }
    };

    std::optional<T> value_{};
    std::move_only_function<void(T)> waiter_{};
};

} // namespace tocsin::ipc::http
