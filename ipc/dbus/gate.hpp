// SPDX-License-Identifier: Apache-2.0
// Private to ipc/dbus: the one way from a message to its handler. Who calls is found out, whether he may do what the
// method declares is decided, here or by the authority, then the handler gets the call. Nothing is thrown out of here.
#pragma once

#include "ipc/authority.hpp"
#include "ipc/dbus/call.hpp"
#include "ipc/dbus/identity.hpp"

#include <memory>

namespace tocsin::ipc::dbus {

class Gate {
public:
    Gate(std::shared_ptr<Link> link, Identities& identities, AccessPolicy policy, Authority& authority)
        : link_(std::move(link)), identities_(identities), policy_(policy), authority_(authority) {}

    // From a C callback: always answered later or now.
    void admit(sd_bus_message* message, const Method& method) noexcept;

private:
    void resolve(sd_bus_message* message, const Method& method);
    void proceed(Call call, Result<Identities::Known> who) noexcept;
    void decide(Call call, Identities::Known who);
    void ask(Call call, Identities::Known who);

    std::shared_ptr<Link> link_;
    Identities& identities_;
    AccessPolicy policy_;
    Authority& authority_;
};

} // namespace tocsin::ipc::dbus
