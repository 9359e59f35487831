// SPDX-License-Identifier: Apache-2.0
#include "jobs/helper_probe.hpp"

#include "jobs/helper_socket.hpp"
#include "jobs/packet.hpp"

#include <boost/asio/post.hpp>

#include <chrono>
#include <utility>

namespace tocsin::jobs {

namespace {

constexpr std::chrono::seconds hello_wait{30};

std::unexpected<Error> no_answer(std::string reason) {
    return fail(Code::unavailable, "jobs", "tocsin-spark", std::move(reason));
}

} // namespace

HelperProbe::HelperProbe(Key, boost::asio::io_context& io, Done done)
    : io_(io), socket_(io), patience_(io), done_(std::move(done)) {}

std::shared_ptr<HelperProbe> HelperProbe::start(boost::asio::io_context& io, const std::string& socket, Done done) {
    auto probe = std::make_shared<HelperProbe>(Key{}, io, std::move(done));
    probe->connect(socket);
    return probe;
}

void HelperProbe::connect(const std::string& socket) {
    auto connected = connect_helper(socket);
    if (!connected) {
        return finish(std::unexpected(connected.error()));
    }
    boost::system::error_code error;
    socket_.assign(connected->get(), error);
    if (error) {
        return finish(no_answer(error.message()));
    }
    connected->release();
    patience_.expires_after(hello_wait);
    patience_.async_wait([self = weak_from_this()](boost::system::error_code waited) {
        if (const auto probe = self.lock(); probe && !waited) {
            probe->finish(no_answer("did not answer in time"));
        }
    });
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [self = weak_from_this()](boost::system::error_code waited) {
                           if (const auto probe = self.lock(); probe && !waited) {
                               probe->read();
                           }
                       });
}

void HelperProbe::read() {
    const Packet packet = receive_packet(socket_.native_handle());
    if (packet.status != PacketStatus::ok) {
        return finish(no_answer("closed without a word; systemctl status 'tocsin-spark@*' may tell why"));
    }
    auto message = protocol::decode(packet.bytes);
    if (!message) {
        return finish(std::unexpected(message.error()));
    }
    auto* const hello = std::get_if<protocol::Hello>(&*message);
    finish(hello != nullptr ? Result<protocol::Hello>(std::move(*hello)) : no_answer("did not say hello"));
}

void HelperProbe::finish(Result<protocol::Hello> result) {
    if (!done_) {
        return;
    }
    boost::system::error_code ignored;
    socket_.close(ignored);
    patience_.cancel();
    boost::asio::post(io_, [self = weak_from_this(), result = std::move(result)]() mutable {
        if (const auto probe = self.lock(); probe && probe->done_) {
            std::exchange(probe->done_, nullptr)(std::move(result));
        }
    });
}

} // namespace tocsin::jobs
