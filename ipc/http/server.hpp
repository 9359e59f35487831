// SPDX-License-Identifier: Apache-2.0
// The HTTP face on a Unix socket (Boost.Beast, coroutines): routes of docs/openapi.json, each with its privilege.
#pragma once

#include "core/clock.hpp"
#include "core/ports.hpp"
#include "ipc/authority.hpp"
#include "ipc/http/compat/compat.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace boost::asio {
class io_context;
}

namespace tocsin::ipc::http {

struct Options {
    std::filesystem::path socket;   // bound here, unless:
    int listen_fd = -1;             // a listening socket handed over by systemd
    AccessPolicy access{};          // a group also sets mode 0660 and the group of the socket
    Authority* authority = nullptr; // who decides about guarded acts; null: nobody, so root and the owner alone
    std::string store_id{};
    std::string listen{};        // address and port for browsers; empty: none
    std::string compat_listen{}; // address and port for clients of older systems; empty: none
    CompatOptions compat{};
    // What is wrong with the listener of a key ("listen.http"); "": nothing any more.
    std::function<void(std::string_view key, const std::string& problem)> on_trouble = [](std::string_view,
                                                                                          const std::string&) {};
};

class Server {
public:
    Server(boost::asio::io_context& io, Services services, const Clock& clock, Options options);
    ~Server();
    // Binds and listens. conflict when another daemon answers on that path; a stale socket is replaced.
    Result<void> start();
    // Stops accepting, lets answers in flight finish for a short time, closes streams. Then calls done.
    void stop(std::move_only_function<void()> done);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

} // namespace tocsin::ipc::http
