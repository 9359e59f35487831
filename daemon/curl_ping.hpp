// SPDX-License-Identifier: Apache-2.0
// The dead man's requests over HTTP and HTTPS by libcurl, in a thread of their own: name resolution, TLS and a slow
// answer hold up nobody else. One request at a time; the end of the daemon interrupts it.
#pragma once

#include "daemon/deadman.hpp"

#include <functional>
#include <memory>

namespace tocsin::daemon {

class CurlPing final : public Ping {
public:
    // `post` runs a small thing on the io thread.
    explicit CurlPing(std::function<void(std::move_only_function<void()>)> post);
    ~CurlPing() override;
    CurlPing(const CurlPing&) = delete;
    CurlPing& operator=(const CurlPing&) = delete;

    // While a request is under way another one is answered with that.
    void send(const std::string& url, std::int64_t timeout_us, std::function<void(const std::string&)> done) override;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace tocsin::daemon
