// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/interfaces.hpp"

#include <utility>

namespace tocsin::ipc::dbus {

namespace {

// What is not there yet, as "alerts".
class Later {
public:
    explicit Later(const char* what) : reason_(std::string(what) + " are not available in this version") {}

    Method method(const char* member, Privilege privilege, Arguments in, Arguments out) const {
        return {member, privilege, std::move(in), std::move(out),
                [reason = reason_](Call call) { call.refuse(Error{Code::unavailable, "bus", "", reason}); }};
    }
    Method list(const char* member = "List") const {
        return method(member, Privilege::read, {"a{sv}us", {"filter", "limit", "cursor"}},
                      {"aa{sv}s", {"items", "next"}});
    }
    // A change that takes the name of something.
    Method change(const char* member, const char* argument = "name") const {
        return method(member, Privilege::control, {"s", {argument}}, {});
    }

private:
    std::string reason_;
};

Interface alerts() {
    const Later later("alerts");
    Interface self{"org.tocsin.EventManager1.Alerts"};
    self.methods = {
        later.list(),
        later.list("Silences"),
        later.method("Silence", Privilege::control, {"sts", {"matcher", "duration_usec", "comment"}}, {"s", {"id"}}),
        later.change("Unsilence", "id"),
    };
    return self;
}

Interface metrics() {
    const Later later("API metrics");
    Interface self{"org.tocsin.EventManager1.Metrics"};
    self.methods = {
        later.method("Record", Privilege::submit, {"a{sv}", {"sample"}}, {}),
        later.method("RecordBatch", Privilege::submit, {"aa{sv}", {"samples"}}, {}),
        later.method("RecordJson", Privilege::submit, {"ay", {"ndjson"}}, {"u", {"count"}}),
        later.list("Windows"),
        later.list("Anomalies"),
        later.list("Predict"),
        later.list("Journeys"),
        later.method("CrossEnvironment", Privilege::read, {"s", {"api"}}, {"a{sv}", {"comparison"}}),
        later.method("Verdict", Privilege::control, {"tss", {"unique_index", "verdict", "comment"}}, {}),
    };
    return self;
}

Interface inputs() {
    const Later later("inputs");
    Interface self{"org.tocsin.EventManager1.Inputs"};
    self.methods = {
        later.list(),
        later.change("Pause"),
        later.change("Resume"),
        later.method("Test", Privilege::control, {"a{sv}", {"input"}}, {"aa{sv}", {"events"}}),
    };
    return self;
}

Interface rules() {
    const Later later("rules");
    Interface self{"org.tocsin.EventManager1.Rules"};
    self.methods = {
        later.list(),           later.change("Enable"), later.change("Disable"), later.change("Put", "toml"),
        later.change("Delete"),
    };
    return self;
}

Interface handlers() {
    const Later later("handlers");
    Interface self{"org.tocsin.EventManager1.Handlers"};
    self.methods = {
        later.list(),
        later.change("Test"),
        later.list("Dead"),
        later.change("Retry"),
    };
    return self;
}

} // namespace

std::vector<Interface> unavailable_interfaces() {
    std::vector<Interface> all;
    all.push_back(alerts());
    all.push_back(metrics());
    all.push_back(inputs());
    all.push_back(rules());
    all.push_back(handlers());
    return all;
}

} // namespace tocsin::ipc::dbus
