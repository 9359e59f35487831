// SPDX-License-Identifier: Apache-2.0
// gzip of answers, where it pays: text of some size, never a stream. A large body is packed on a thread of its own,
// started with the first one, so that it holds nobody else up; where that has enough to do, answers go out as they are.
#pragma once

#include "ipc/http/limits.hpp"
#include "ipc/http/message.hpp"

#include <cstddef>
#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
class thread_pool;
} // namespace boost::asio

namespace tocsin::ipc::http {

// Whether an answer of this kind and size is sent packed to who takes that. Its Vary says so then.
bool may_be_packed(Response& response, const Limits& limits);

class Packer {
public:
    Packer(boost::asio::io_context& io, const Limits& limits);
    ~Packer(); // what waits is dropped
    Packer(const Packer&) = delete;
    Packer& operator=(const Packer&) = delete;

    // `done` gets the answer on the io thread: at once, or when the thread has packed it. One at a time, from the io
    // thread.
    void pack(Response response, std::move_only_function<void(Response)> done);
    std::size_t waiting() const { return waiting_; }

private:
    boost::asio::io_context& io_;
    std::size_t here_bytes_;
    std::size_t waiting_max_;
    std::size_t waiting_ = 0; // with the thread; known to the io thread alone
    std::unique_ptr<boost::asio::thread_pool> thread_{};
};

} // namespace tocsin::ipc::http
