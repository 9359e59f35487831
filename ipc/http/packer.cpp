// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/packer.hpp"

#include "ipc/http/gzip.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <array>

namespace tocsin::ipc::http {

namespace asio = boost::asio;

namespace {

bool is_text(std::string_view type) {
    constexpr std::array<std::string_view, 5> kinds = {"application/json", "application/problem+json",
                                                       "application/x-ndjson", "text/", "image/svg+xml"};
    return std::ranges::any_of(kinds, [type](std::string_view kind) { return type.starts_with(kind); });
}

void add_to_vary(Response& response, std::string_view what) {
    const auto vary = std::ranges::find(response.headers, "Vary", &std::pair<std::string, std::string>::first);
    if (vary == response.headers.end()) {
        response.headers.emplace_back("Vary", what);
    } else {
        vary->second.append(", ").append(what);
    }
}

Response packed(Response response) {
    if (auto bytes = gzip(response.body)) {
        response.body = std::move(*bytes);
        response.headers.emplace_back("Content-Encoding", "gzip");
    }
    return response;
}

} // namespace

bool may_be_packed(Response& response, const Limits& limits) {
    if (response.stream || response.body.size() < limits.gzip_bytes || !is_text(response.content_type)) {
        return false;
    }
    add_to_vary(response, "Accept-Encoding");
    return true;
}

Packer::Packer(asio::io_context& io, const Limits& limits)
    : io_(io), here_bytes_(limits.gzip_here_bytes), waiting_max_(limits.gzips_waiting) {}

Packer::~Packer() {
    if (thread_) {
        thread_->stop();
        thread_->join();
    }
}

void Packer::pack(Response response, std::move_only_function<void(Response)> done) {
    if (response.body.size() <= here_bytes_) {
        return done(packed(std::move(response)));
    }
    if (waiting_ >= waiting_max_) {
        return done(std::move(response));
    }
    if (!thread_) {
        thread_ = std::make_unique<asio::thread_pool>(1);
    }
    ++waiting_;
    auto give = [this, done = std::move(done)](Response answer) mutable {
        --waiting_;
        done(std::move(answer));
    };
    asio::post(*thread_,
               [io = asio::make_work_guard(io_), response = std::move(response), give = std::move(give)]() mutable {
                   asio::post(io.get_executor(), [answer = packed(std::move(response)),
                                                  give = std::move(give)]() mutable { give(std::move(answer)); });
               });
}

} // namespace tocsin::ipc::http
