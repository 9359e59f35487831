// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/interfaces.hpp"
#include "ipc/dbus/read_variant.hpp"

#include <fcntl.h>

#include <utility>

namespace tocsin::ipc::dbus {

Interface ManagerFace::interface() {
    Interface self{manager_interface};
    self.methods = {
        {"Reload", Action::reload, {}, {}, bind(this, &ManagerFace::reload)},
        {"Backup", Action::backup, {"h", {"file"}}, {}, bind(this, &ManagerFace::backup)},
    };
    self.properties = {
        {"Version", "s", Emits::constant},
        {"Hostname", "s", Emits::constant},
        {"StoreId", "s", Emits::constant},
        {"EventCount", "t"},
        {"FirstIndex", "t"},
        {"LastIndex", "t"},
        {"StoreBytes", "t"},
        {"IntakeRate", "d"},
        {"Degraded", "as", Emits::change},
    };
    self.read = [this](const std::string& path, Done<std::vector<PropertyValue>> done) { read(path, std::move(done)); };
    return self;
}

void ManagerFace::reload(Call call) {
    manager_.reload(
        [held = std::move(call)](Result<void> done) mutable { done ? held.reply() : held.refuse(done.error()); });
}

void ManagerFace::backup(Call call) {
    int file = -1; // the message's own
    if (sd_bus_message_read(call.message(), "h", &file) < 0) {
        call.refuse(unreadable("the arguments"));
        return;
    }
    const int ours = ::fcntl(file, F_DUPFD_CLOEXEC, 0);
    if (ours < 0) {
        call.refuse(Error{Code::unavailable, "backup", "file", "no descriptor is free for it; try again"});
        return;
    }
    manager_.backup(ours, [held = std::move(call)](Result<Backup> made) mutable {
        made ? held.reply() : held.refuse(made.error());
    });
}

void ManagerFace::read(const std::string& /*path*/, Done<std::vector<PropertyValue>> done) const {
    Status status = manager_.status();
    done(std::vector<PropertyValue>{
        std::move(status.version),
        std::move(status.hostname),
        std::move(status.store_id),
        status.event_count,
        status.first_index,
        status.last_index,
        status.store_bytes,
        status.intake_rate,
        std::move(status.degraded),
    });
}

} // namespace tocsin::ipc::dbus
