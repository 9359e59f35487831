// SPDX-License-Identifier: Apache-2.0
// One configured network address: bound at once or, while something else has it, tried again and said to be missing.
#pragma once

#include "ipc/http/doorway.hpp"
#include "ipc/http/hub.hpp"
#include "ipc/http/listener.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tocsin::ipc::http {

class TcpFace : public std::enable_shared_from_this<TcpFace> {
public:
    // What is wrong with the listener of a key ("listen.http"); "": nothing any more.
    using Trouble = std::function<void(std::string_view key, const std::string& problem)>;

    TcpFace(std::shared_ptr<Hub> hub, std::string_view key, std::string address, bool compat, Trouble trouble);
    void start();
    void close();

private:
    void serve(int fd);
    void start_later();

    std::shared_ptr<Hub> hub_;
    std::string_view key_;
    std::string address_;
    std::shared_ptr<const Doorway> doorway_;
    Trouble trouble_;
    std::shared_ptr<Listener> listener_;
    boost::asio::steady_timer retry_;
    bool troubled_ = false;
    bool closed_ = false;
};

} // namespace tocsin::ipc::http
