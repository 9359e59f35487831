// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/service.hpp"

#include "core/limits.hpp"
#include "ipc/dbus/changes.hpp"
#include "ipc/dbus/connection.hpp"
#include "ipc/dbus/gate.hpp"
#include "ipc/dbus/identity.hpp"
#include "ipc/dbus/interfaces.hpp"
#include "ipc/dbus/objects.hpp"
#include "ipc/dbus/polkit.hpp"
#include "ipc/dbus/subscriptions.hpp"

#include <cerrno>
#include <utility>

namespace tocsin::ipc::dbus {

namespace {

using SubscriptionPtr = std::unique_ptr<tocsin::Subscription>;

// Names that vanish; the others say nothing that we keep.
constexpr const char* vanished_match = "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                                       "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''";
Changed shown(const Watch& watch) {
    return {{"State", std::string(to_string(watch.state))}, {"Status", *watch.status}};
}

PolkitPatience patience_of(const Options& options) {
    return options.polkit_us_max == 0 ? PolkitPatience{} : PolkitPatience{options.polkit_us_max, options.polkit_us_max};
}

} // namespace

struct Service::Impl {
    Impl(boost::asio::io_context& io, Services ports, const Clock& time, Options wanted);

    Result<void> start();
    void export_all();
    Result<void> match(const char* rule, sd_bus_message_handler_t handler);
    void follow();
    void remember_watches();
    void watch_changed(const Watch& watch);
    void job_changed(const Job& job);
    void stop();
    Authority& authority() { return options.bus == BusKind::system ? static_cast<Authority&>(polkit) : nobody; }
    static int on_vanished(sd_bus_message* message, void* userdata, sd_bus_error* error);

    Services services;
    Options options;
    std::shared_ptr<Connection> connection;
    std::shared_ptr<Link> link;
    Identities identities;
    Polkit polkit;
    NoAuthority nobody{"polkit is asked on the system bus alone"};
    Gate gate;
    std::shared_ptr<Subscriptions> subscriptions;
    std::shared_ptr<Changes> changes;
    Events events;
    StatisticsFace statistics;
    HeartbeatsFace heartbeats;
    JobsFace jobs;
    ManagerFace manager;
    Objects objects;
    std::vector<Slot> slots{};
    std::vector<SubscriptionPtr> followed{};
};

Service::Impl::Impl(boost::asio::io_context& io, Services ports, const Clock& time, Options wanted)
    : services(ports),
      options(wanted),
      connection(std::make_shared<Connection>(io)),
      link(std::make_shared<Link>(Link{connection, &ports.manager})),
      identities(*connection),
      polkit(*connection, patience_of(options)),
      gate(link, identities, options.access, authority()),
      subscriptions(std::make_shared<Subscriptions>(*connection)),
      changes(std::make_shared<Changes>(*connection)),
      events(services, time, *subscriptions),
      statistics(services),
      heartbeats(services.heartbeats, time),
      jobs(services.jobs),
      manager(services.manager),
      objects(gate) {}

Result<void> Service::Impl::start() {
    if (auto opened = connection->open(options.bus); !opened) {
        return opened;
    }
    export_all();
    if (auto exported = objects.export_on(connection->bus()); !exported) {
        return exported;
    }
    if (auto matched = match(vanished_match, &Impl::on_vanished); !matched) {
        return matched;
    }
    follow();
    connection->arm();
    return {};
}

void Service::Impl::export_all() {
    objects.add(Place::root, events.interface());
    objects.add(Place::root, heartbeats.interface());
    objects.add(Place::root, jobs.interface());
    objects.add(Place::root, manager.interface());
    objects.add(Place::root, statistics.interface());
    for (Interface& interface : unavailable_interfaces()) {
        objects.add(Place::root, std::move(interface));
    }
    objects.add(Place::heartbeat, heartbeats.object());
    objects.add(Place::job, jobs.object());
    objects.add(Place::alert, unavailable_alert());
    objects.list(Place::heartbeat, [this] { return heartbeats.paths(); });
    objects.list(Place::job, [this] { return jobs.paths(); });
}

Result<void> Service::Impl::match(const char* rule, sd_bus_message_handler_t handler) {
    sd_bus_slot* raw = nullptr;
    const int done = sd_bus_add_match(connection->bus(), &raw, rule, handler, this);
    slots.emplace_back(raw);
    if (done < 0) {
        return fail(Code::unavailable, "bus", "match", "the bus does not tell who leaves (" + reason_of(done) + ")");
    }
    return {};
}

void Service::Impl::follow() {
    followed.push_back(services.feed.on_commit([this](const CommitNotice& notice) { subscriptions->tell(notice); }));
    followed.push_back(services.heartbeats.on_change([this](const Watch& watch) { watch_changed(watch); }));
    followed.push_back(services.jobs.on_change([this](const Job& job) { job_changed(job); }));
    followed.push_back(services.manager.on_degraded([this](const std::vector<std::string>& reasons) {
        changes->changed(root_path, manager_interface, {{"Degraded", reasons}});
    }));
}

// So that the first beat of each watch after the start is not told as a change.
void Service::Impl::remember_watches() {
    std::string cursor;
    do {
        const auto page = services.heartbeats.list({}, limits::page_max, cursor);
        if (!page) {
            return;
        }
        for (const Watch& watch : page->items) {
            changes->remember(heartbeat_path(watch.key), shown(watch));
        }
        cursor = page->next;
    } while (!cursor.empty());
}

void Service::Impl::watch_changed(const Watch& watch) {
    changes->changed(heartbeat_path(watch.key), heartbeat_interface, shown(watch));
}

void Service::Impl::job_changed(const Job& job) {
    const std::string path = job_path(job.id);
    changes->changed(path, job_interface, {{"State", std::string(to_string(job.state))}});
    if (is_final(job.state)) {
        changes->forget(path);
    }
}

int Service::Impl::on_vanished(sd_bus_message* message, void* userdata, sd_bus_error* /*error*/) {
    auto& self = *static_cast<Impl*>(userdata);
    const char* name = nullptr;
    if (sd_bus_message_read(message, "sss", &name, nullptr, nullptr) < 0) {
        return 0;
    }
    try {
        self.identities.forget(name);
        self.polkit.forget(name);
        self.subscriptions->remove(name);
    } catch (const std::exception&) {
        return -ENOMEM;
    }
    return 0; // others may listen too
}

void Service::Impl::stop() {
    followed.clear();
    subscriptions->stop();
    changes->stop();
    link->stopping = true;
    polkit.stop();
    connection->close();
    link->open = false; // answers that still come are for nobody
    objects.withdraw();
    slots.clear();
}

Service::Service(boost::asio::io_context& io, Services services, const Clock& clock, Options options)
    : impl_(std::make_unique<Impl>(io, services, clock, options)) {}

Service::~Service() {
    impl_->stop();
}

Result<void> Service::start() {
    return impl_->start();
}

Result<void> Service::request_name() {
    impl_->remember_watches();
    return impl_->connection->request_name(bus_name);
}

void Service::on_lost(std::function<void(std::string reason)> handler) {
    impl_->connection->on_lost(std::move(handler));
}

void Service::stop() {
    impl_->stop();
}

Authority& Service::authority() {
    return impl_->authority();
}

bool Service::alive() {
    return impl_->connection->alive();
}

} // namespace tocsin::ipc::dbus
