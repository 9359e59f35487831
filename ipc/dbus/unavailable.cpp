// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/interfaces.hpp"

#include <utility>

namespace tocsin::ipc::dbus {

namespace {

// An interface of which nothing is there yet; `what` as "alerts".
class Later {
public:
    Later(const char* interface, const char* what)
        : self_{interface}, reason_(std::string(what) + " are not available in this version") {}

    void method(const char* member, Action action, Arguments in, Arguments out) {
        self_.methods.emplace_back(member, action, std::move(in), std::move(out), [reason = reason_](Call call) {
            call.refuse(Error{Code::unavailable, "bus", "", reason});
        });
        self_.methods.back().later = true;
    }
    void list(const char* member = "List") {
        method(member, Action::read, {"a{sv}us", {"filter", "limit", "cursor"}}, {"aa{sv}s", {"items", "next"}});
    }
    // A change that takes the name of something.
    void change(const char* member, Action action, const char* argument = "name") {
        method(member, action, {"s", {argument}}, {});
    }
    void property(const char* name, const char* signature, Emits emits = Emits::never) {
        self_.properties.push_back({name, signature, emits});
    }
    Interface interface() && {
        if (!self_.properties.empty()) {
            self_.read = [reason = reason_](const std::string&, Done<std::vector<PropertyValue>> done) {
                done(std::unexpected(Error{Code::unavailable, "bus", "", reason}));
            };
        }
        return std::move(self_);
    }

private:
    Interface self_;
    std::string reason_;
};

Interface alerts() {
    Later later("org.tocsin.EventManager1.Alerts", "alerts");
    later.list();
    later.list("Silences");
    later.method("Silence", Action::silence, {"sts", {"matcher", "duration_usec", "comment"}}, {"s", {"id"}});
    later.change("Unsilence", Action::unsilence, "id");
    return std::move(later).interface();
}

Interface metrics() {
    Later later("org.tocsin.EventManager1.Metrics", "API metrics");
    later.method("Record", Action::submit, {"a{sv}", {"sample"}}, {});
    later.method("RecordBatch", Action::submit, {"aa{sv}", {"samples"}}, {});
    later.method("RecordJson", Action::submit, {"ay", {"ndjson"}}, {"u", {"count"}});
    later.list("Windows");
    later.list("Anomalies");
    later.list("Predict");
    later.list("Journeys");
    later.method("CrossEnvironment", Action::read, {"s", {"api"}}, {"a{sv}", {"comparison"}});
    later.method("Verdict", Action::verdict, {"tss", {"unique_index", "verdict", "comment"}}, {});
    return std::move(later).interface();
}

Interface inputs() {
    Later later("org.tocsin.EventManager1.Inputs", "inputs");
    later.list();
    later.change("Pause", Action::pause);
    later.change("Resume", Action::resume);
    later.method("Test", Action::configure, {"a{sv}", {"input"}}, {"aa{sv}", {"events"}});
    return std::move(later).interface();
}

Interface rules() {
    Later later("org.tocsin.EventManager1.Rules", "rules");
    later.list();
    later.change("Enable", Action::enable);
    later.change("Disable", Action::disable);
    later.change("Put", Action::configure, "toml");
    later.change("Delete", Action::configure);
    return std::move(later).interface();
}

Interface handlers() {
    Later later("org.tocsin.EventManager1.Handlers", "handlers");
    later.list();
    later.change("Test", Action::configure);
    later.list("Dead");
    later.change("Retry", Action::retry);
    return std::move(later).interface();
}

} // namespace

Interface unavailable_alert() {
    Later later("org.tocsin.EventManager1.Alert", "alerts");
    later.method("Acknowledge", Action::acknowledge, {"a{sv}", {"options"}}, {});
    later.change("Resolve", Action::resolve, "comment");
    later.method("Snooze", Action::snooze, {"ts", {"duration_usec", "comment"}}, {});
    later.method("Verdict", Action::verdict, {"ss", {"verdict", "comment"}}, {});
    later.property("Rule", "s", Emits::constant);
    later.property("Severity", "s");
    later.property("State", "s", Emits::change);
    later.property("Environment", "s", Emits::constant);
    later.property("Labels", "a{ss}", Emits::constant);
    later.property("StartedUSec", "t", Emits::constant);
    later.property("EndedUSec", "t");
    later.property("Count", "t");
    later.property("Summary", "s");
    later.property("AcknowledgedBy", "s");
    return std::move(later).interface();
}

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
