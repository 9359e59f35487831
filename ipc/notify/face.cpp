// SPDX-License-Identifier: Apache-2.0
#include "ipc/notify/face.hpp"

#include <fmt/format.h>

namespace tocsin::ipc::notify {
namespace {

std::string who(const Datagram& datagram) {
    if (!datagram.credentials) {
        return "a sender without credentials";
    }
    return fmt::format("pid {} of uid {}", datagram.credentials->pid, datagram.credentials->uid);
}

tocsin::Sender sender_of(const Datagram& datagram) {
    return {.uid = datagram.credentials ? std::optional(datagram.credentials->uid) : std::nullopt};
}

BeatKind kind_of(const Message& message) {
    if (message.stopping) {
        return BeatKind::stop;
    }
    if (message.failed) {
        return BeatKind::fail;
    }
    return message.alive ? BeatKind::ok : BeatKind::note;
}

// The one place where a datagram becomes a beat.
Result<Beat> beat_of(const Sender& sender, const Message& message, std::int64_t now_us) {
    BeatBuilder builder(sender.source);
    if (message.interval_us) {
        builder.set("interval_usec", *message.interval_us);
    }
    if (!message.status.empty()) {
        builder.set("status", std::string_view(message.status));
    }
    builder.from(sender.origin);
    auto beat = builder.finish(now_us);
    if (beat) {
        beat->kind = kind_of(message);
    }
    return beat;
}

// Whether what was asked for is kept, will never be, or could not be stored.
Outstanding::End end_of(const Result<Watch>& result) {
    if (result || result.error().code == Code::not_found) { // the end of a watch that is not there
        return Outstanding::End::kept;
    }
    const bool store = result.error().code == Code::unavailable || result.error().code == Code::storage_full;
    return store ? Outstanding::End::unstored : Outstanding::End::refused;
}

} // namespace

void Face::take(Datagram& datagram) {
    const auto message = datagram.cut ? std::nullopt : parse_message(datagram.bytes);
    if (!message || (message->idle() && message->wrong > 0)) {
        return lose(&Counts::malformed, "is not of the sd_notify protocol",
                    fmt::format("it came from {}", who(datagram)));
    }
    if (message->barrier) {
        return take_barrier(datagram);
    }
    if (message->idle()) {
        ++counts_.ignored;
        return;
    }
    if (outstanding_.full()) { // before the sender is looked up: a flood costs as little as it can
        return drop(sender_of(datagram), "is one too many", "too many wait to be stored");
    }
    const auto sender = identify(datagram, units_, clock_.boot_us());
    if (!sender) {
        return lose(&Counts::unidentified, "cannot be attributed to a unit or executable",
                    fmt::format("it came from {}, which has ended or whose executable is not for this user to see",
                                who(datagram)));
    }
    take_from(*sender, *message);
}

void Face::take_barrier(Datagram& datagram) {
    if (datagram.descriptors.size() != 1) {
        return lose(&Counts::malformed, "is a barrier without exactly one descriptor",
                    fmt::format("it came from {}", who(datagram)));
    }
    if (!outstanding_.hold(std::move(datagram.descriptors.front()))) {
        return drop(sender_of(datagram), "is one barrier too many", "too many wait already");
    }
    ++counts_.barriers;
}

void Face::take_from(const Sender& sender, const Message& message) {
    if (outstanding_.full(sender.source)) {
        return drop({.uid = sender.origin.uid, .unit = sender.origin.unit}, "is one too many",
                    fmt::format("too many of {} wait to be stored", sender.source));
    }
    auto beat = beat_of(sender, message, clock_.wall_us());
    if (!beat) {
        return lose(&Counts::refused, "is refused", beat.error().detail());
    }
    const std::uint64_t number = outstanding_.begin(sender.source);
    auto done = [weak = weak_from_this(), number](const Result<Watch>& result) {
        if (const auto self = weak.lock()) {
            self->answered(number, result);
        }
    };
    heartbeats_.beat(std::move(*beat), std::move(done));
}

void Face::answered(std::uint64_t beat, const Result<Watch>& result) {
    const Outstanding::End how = end_of(result);
    outstanding_.end(beat, how);
    if (how == Outstanding::End::refused) {
        return lose(&Counts::refused, "is refused", result.error().detail());
    }
    ++counts_.taken; // only now: a counter never goes down
}

void Face::drop(const tocsin::Sender& sender, std::string_view what, const std::string& why) {
    if (dropped_) {
        dropped_(sender);
    }
    lose(&Counts::dropped, what, why);
}

void Face::lose(std::uint64_t Counts::* count, std::string_view what, const std::string& why) {
    ++(counts_.*count);
    if (trouble_ && told_.emplace(what).second) {
        trouble_(
            fmt::format("a datagram on the notify socket {} and is not taken: {}; more of them are only counted, in "
                        "tocsin_notify_datagrams_total",
                        what, why));
    }
}

} // namespace tocsin::ipc::notify
