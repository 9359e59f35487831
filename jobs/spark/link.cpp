// SPDX-License-Identifier: Apache-2.0
#include "jobs/spark/link.hpp"

#include "jobs/packet.hpp"

namespace tocsin::jobs::spark {

std::optional<Incoming> Link::receive() {
    if (closed_) {
        return std::nullopt;
    }
    Packet packet = receive_packet(socket_.get());
    if (packet.status == PacketStatus::again) {
        return std::nullopt;
    }
    auto message = packet.status == PacketStatus::ok ? protocol::decode(packet.bytes)
                                                     : fail(Code::unavailable, "spark", "", "the daemon is gone");
    if (!message) {
        if (protocol::version_differs(packet.bytes)) {
            send(protocol::Ended{.reason = message.error().reason});
        }
        closed_ = true;
        return std::nullopt;
    }
    return Incoming{std::move(*message), std::move(packet.descriptors)};
}

void Link::send(const protocol::Message& message, Fd descriptor) {
    if (!closed_) {
        queue_.push_back({protocol::encode(message), std::move(descriptor)});
        flush();
    }
}

void Link::flush() {
    while (has_unsent()) {
        const Outgoing& next = queue_.front();
        const int descriptor = next.descriptor.get();
        const std::span<const int> descriptors(&descriptor, next.descriptor.valid() ? 1 : 0);
        const auto status = send_packet(socket_.get(), next.bytes, descriptors);
        if (status == PacketStatus::again) {
            return;
        }
        closed_ = status == PacketStatus::closed;
        queue_.pop_front();
    }
}

} // namespace tocsin::jobs::spark
