// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/gate.hpp"

#include <exception>
#include <utility>

namespace tocsin::ipc::dbus {

namespace {

constexpr std::size_t calls_outstanding_max = 131'072; // of all clients together; the bus bounds each of them

bool is_own(const Call& call, const Caller& caller) {
    if (!call.method().own) {
        return false;
    }
    const bool own = call.method().own(caller, call.message());
    sd_bus_message_rewind(call.message(), 1);
    return own;
}

void handle(Call call) noexcept {
    try {
        const Handler& handler = call.method().handler;
        handler(std::move(call));
    } catch (const std::exception&) {
        return; // the call was answered when its holder went
    }
}

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
        decide(std::move(call), std::move(*who));
    } catch (const std::exception&) {
        return; // the call was answered when its holder went
    }
}

void Gate::decide(Call call, Identities::Known who) {
    const Method& method = call.method();
    // Where nothing is behind an act, there is nothing to guard.
    const Action action = method.later ? Action::read : method.action;
    const Standing stands = standing(policy_, *who, action);
    if (stands == Standing::refused) {
        call.refuse(refusal(policy_, *who, action, method.member));
    } else if (stands == Standing::allowed || is_own(call, *who)) {
        handle(std::move(call));
    } else {
        ask(std::move(call), std::move(who));
    }
}

void Gate::ask(Call call, Identities::Known who) {
    Question question{.caller = std::move(who),
                      .action = call.method().action,
                      .what = call.method().member,
                      .bus_name = call.sender(),
                      .interactive = sd_bus_message_get_allow_interactive_authorization(call.message()) > 0};
    authority_.check(std::move(question), [held = std::move(call)](Result<void> may) mutable {
        may ? handle(std::move(held)) : held.refuse(may.error());
    });
}

} // namespace tocsin::ipc::dbus
