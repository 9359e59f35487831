// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/gate.hpp"

#include <exception>
#include <utility>

namespace tocsin::ipc::dbus {

namespace {

constexpr std::size_t calls_outstanding_max = 131'072; // of all clients together; the bus bounds each of them

} // namespace

void Gate::admit(sd_bus_message* message, const Method& method) noexcept {
    try {
        resolve(message, method);
    } catch (const std::exception&) {
        return; // out of memory; the call was answered when its holder went
    }
}

void Gate::resolve(sd_bus_message* message, const Method& method) {
    Call call(link_, message, method);
    if (link_->stopping) {
        call.refuse(Error{Code::unavailable, "bus", "", "the daemon is stopping; try again when it is back"});
        return;
    }
    if (link_->outstanding > calls_outstanding_max) {
        Error busy{Code::limit_exceeded, "bus", "", "too many calls are not answered yet"};
        busy.retry_after_s = 1;
        call.refuse(busy);
        return;
    }
    const std::string sender = call.sender();
    if (sender.empty()) {
        call.refuse(Error{Code::not_authorized, "bus", "", "a call without a sender cannot be authorised"});
        return;
    }
    if (Identities::Known known = identities_.find(sender)) {
        proceed(std::move(call), std::move(known));
        return;
    }
    identities_.resolve(sender, [this, held = std::move(call)](Result<Identities::Known> who) mutable {
        proceed(std::move(held), std::move(who));
    });
}

void Gate::proceed(Call call, Result<Identities::Known> who) noexcept {
    try {
        if (!who) {
            call.refuse(who.error());
            return;
        }
        call.identify(*who);
        if (const auto allowed = authorize(policy_, **who, call.method().privilege, call.method().member); !allowed) {
            call.refuse(allowed.error());
            return;
        }
        const Handler& handler = call.method().handler;
        handler(std::move(call));
    } catch (const std::exception&) {
        return; // the call was answered when its holder went
    }
}

} // namespace tocsin::ipc::dbus
