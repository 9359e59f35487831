// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/identity.hpp"

#include <cerrno>
#include <string_view>
#include <utility>

namespace tocsin::ipc::dbus {

namespace {

constexpr std::size_t names_kept_max = 4'096; // the oldest is asked again when it comes back
constexpr std::size_t calls_waiting_max = 8'192;
constexpr std::uint64_t credentials_us_max = 10'000'000;

Error unknown_caller(const std::string& why) {
    return Error{Code::not_authorized, "identity", "", "the bus does not say who you are (" + why + ")"};
}

// Descriptors of the reply belong to the reply.
struct Credentials {
    Caller caller{};
    int pidfd = -1;
};

int read_groups(sd_bus_message* reply, Caller& caller) {
    const void* data = nullptr;
    std::size_t bytes = 0;
    int done = sd_bus_message_enter_container(reply, 'v', "au");
    done = done < 0 ? done : sd_bus_message_read_array(reply, 'u', &data, &bytes);
    if (done < 0) {
        return done;
    }
    const auto* groups = static_cast<const std::uint32_t*>(data);
    caller.groups.assign(groups, groups + bytes / sizeof(std::uint32_t));
    return sd_bus_message_exit_container(reply);
}

int read_credential(sd_bus_message* reply, Credentials& out) {
    const char* key = nullptr;
    const char* contents = nullptr;
    int done = sd_bus_message_read_basic(reply, 's', &key);
    done = done < 0 ? done : sd_bus_message_peek_type(reply, nullptr, &contents);
    if (done < 0) {
        return done;
    }
    const std::string_view name = key;
    const std::string_view type = contents == nullptr ? "" : contents;
    std::uint32_t number = 0;
    if (name == "UnixUserID" && type == "u") {
        done = sd_bus_message_read(reply, "v", "u", &number);
        out.caller.uid = number;
    } else if (name == "ProcessID" && type == "u") {
        done = sd_bus_message_read(reply, "v", "u", &number);
        out.caller.origin.pid = number;
    } else if (name == "UnixGroupIDs" && type == "au") {
        done = read_groups(reply, out.caller);
    } else if (name == "ProcessFD" && type == "h") {
        done = sd_bus_message_read(reply, "v", "h", &out.pidfd);
    } else {
        done = sd_bus_message_skip(reply, "v");
    }
    return done;
}

} // namespace

Result<Caller> read_credentials(sd_bus_message* reply) {
    Credentials read;
    int done = sd_bus_message_enter_container(reply, 'a', "{sv}");
    while (done >= 0 && (done = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
        done = read_credential(reply, read);
        done = done < 0 ? done : sd_bus_message_exit_container(reply);
    }
    if (done < 0) {
        return std::unexpected(unknown_caller(reason_of(done)));
    }
    if (!read.caller.uid) {
        return std::unexpected(unknown_caller("no user id"));
    }
    read.caller.origin.transport = "dbus";
    read.caller.origin.uid = read.caller.uid;
    look_up_process(read.caller.origin, read.pidfd);
    return std::move(read.caller);
}

Identities::Known Identities::find(const std::string& name) const {
    const auto found = known_.find(name);
    return found == known_.end() ? nullptr : found->second;
}

void Identities::resolve(const std::string& name, Waiter waiter) {
    if (waiting_ >= calls_waiting_max) {
        Error busy{Code::limit_exceeded, "identity", "", "too many new callers at once"};
        busy.retry_after_s = 1;
        waiter(std::unexpected(std::move(busy)));
        return;
    }
    std::unique_ptr<Lookup>& lookup = lookups_[name];
    const bool first = lookup == nullptr;
    if (first) {
        lookup = std::make_unique<Lookup>(Lookup{this, name, {}});
    }
    lookup->waiters.push_back(std::move(waiter));
    ++waiting_;
    if (first) {
        if (auto asked = ask(*lookup); !asked) {
            finish(*lookup, std::unexpected(asked.error()));
        }
    }
}

Result<void> Identities::ask(Lookup& lookup) {
    sd_bus_message* raw = nullptr;
    int done = sd_bus_message_new_method_call(connection_.bus(), &raw, driver_name, driver_path, driver_name,
                                              "GetConnectionCredentials");
    const Message question(raw);
    done = done < 0 ? done : sd_bus_message_append(question.get(), "s", lookup.name.c_str());
    // A floating slot: it goes with the answer, or with the connection.
    done = done < 0 ? done
                    : sd_bus_call_async(connection_.bus(), nullptr, question.get(), &Identities::on_credentials,
                                        &lookup, credentials_us_max);
    connection_.rearm();
    if (done < 0) {
        return std::unexpected(unknown_caller(reason_of(done)));
    }
    return {};
}

int Identities::on_credentials(sd_bus_message* reply, void* userdata, sd_bus_error* /*error*/) {
    auto& lookup = *static_cast<Lookup*>(userdata);
    try {
        const sd_bus_error* failed = sd_bus_message_get_error(reply);
        if (failed != nullptr) {
            lookup.owner->finish(lookup, std::unexpected(unknown_caller(failed->name)));
        } else if (auto caller = read_credentials(reply); !caller) {
            lookup.owner->finish(lookup, std::unexpected(caller.error()));
        } else {
            lookup.owner->finish(lookup, std::make_shared<const Caller>(std::move(*caller)));
        }
    } catch (const std::exception&) {
        return -ENOMEM; // the waiting calls were answered by their holders
    }
    return 1;
}

void Identities::finish(Lookup& lookup, Result<Known> result) {
    const auto node = lookups_.extract(lookup.name); // keeps the lookup alive until we return
    waiting_ -= lookup.waiters.size();
    if (result) {
        remember(lookup.name, *result);
    }
    for (Waiter& waiter : lookup.waiters) {
        waiter(result);
    }
}

void Identities::remember(const std::string& name, Known caller) {
    while (known_.size() >= names_kept_max) {
        known_.erase(order_.front());
        order_.pop_front();
    }
    if (known_.insert_or_assign(name, std::move(caller)).second) {
        order_.push_back(name);
    }
}

void Identities::forget(const std::string& name) {
    if (known_.erase(name) > 0) {
        std::erase(order_, name);
    }
}

} // namespace tocsin::ipc::dbus
