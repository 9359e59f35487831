// SPDX-License-Identifier: Apache-2.0
// Everything up to READY.
#include "daemon/app_impl.hpp"

#include "daemon/config_describe.hpp"
#include "daemon/job_output.hpp"
#include "daemon/logging.hpp"
#include "daemon/settings.hpp"
#include "ipc/http/tcp_socket.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <array>
#include <csignal>
#include <unistd.h>

namespace tocsin::daemon {

namespace {

constexpr std::string_view helper_kind = "jobs-helper";
constexpr std::string_view notify_kind = "notify";
constexpr std::string_view deadman_kind = "deadman";
constexpr std::string_view limits_kind = "job-limits";
constexpr std::string_view queue_kind = "jobs-queue";

} // namespace

Result<void> App::Impl::start() {
    using Step = Result<void> (Impl::*)();
    static constexpr std::array<Step, 11> steps = {&Impl::settle,       &Impl::open_store,    &Impl::start_heartbeats,
                                                   &Impl::start_jobs,   &Impl::start_manager, &Impl::serve_http,
                                                   &Impl::serve_notify, &Impl::connect_bus,   &Impl::watch_signals,
                                                   &Impl::take_name,    &Impl::tell_ready};
    for (const Step step : steps) {
        if (auto done = (this->*step)(); !done) {
            return done;
        }
    }
    return {};
}

Result<void> App::Impl::settle() {
    auto taken = StateDir::take(options.state_dir);
    if (!taken) {
        return std::unexpected(std::move(taken.error()));
    }
    state_dir = std::move(*taken);
    auto sockets = handed_over_sockets();
    if (!sockets) {
        return std::unexpected(std::move(sockets.error()));
    }
    handed_over = std::move(*sockets);
    site = Site{.state_dir = options.state_dir,
                .socket = handed_over.http.path.empty() ? options.runtime_dir / "tocsin.sock" : handed_over.http.path,
                .helper = spark_helper(),
                .hostname = hostname(),
                .file_system_bytes = file_system_bytes(options.state_dir),
                .bus = options.bus};
    access.owner_uid = geteuid();
    if (const std::string group = access_group(live.loaded(), site, geteuid() == 0); !group.empty()) {
        access.group = group_id(group);
        if (!access.group) {
            log::info(fmt::format("there is no group {}: only root and the daemon's own user may use it", group));
        }
    }
    return {};
}

Result<void> App::Impl::open_store() {
    auto post = [this](std::move_only_function<void()> work) { asio::post(io, std::move(work)); };
    auto wanted = store_options(live.config(), site);
    wanted.copying = [this, told = std::uint64_t{101}](std::string_view, std::uint64_t done,
                                                       std::uint64_t all) mutable {
        if (const std::uint64_t percent = done * 100 / all; percent != std::exchange(told, percent)) {
            liveness.starting(fmt::format("keeping a copy of the store before it is upgraded, {} %", percent));
        }
    };
    auto opened = storage::Store::open(wanted, std::move(post), clock);
    if (!opened) {
        return std::unexpected(std::move(opened.error()));
    }
    store = std::move(*opened);
    if (const auto& upgraded = store->migration(); upgraded && upgraded->not_kept.empty()) {
        log::say(messages::store_upgraded,
                 fmt::format("the store was upgraded from schema {}; what it was is in {}, remove it when you need no "
                             "way back",
                             upgraded->from, upgraded->kept.string()),
                 {{"COPY", upgraded->kept.string()}});
    } else if (upgraded) {
        log::warning(fmt::format("the store was upgraded from schema {} without a copy of what it was: {}",
                                 upgraded->from, upgraded->not_kept));
    }
    stamped = std::make_unique<StampedStore>(*store, site.hostname);
    return {};
}

Result<void> App::Impl::start_heartbeats() {
    watchboard = std::make_unique<heartbeats::Watchboard>(io, *stamped, clock, heartbeat_settings(live.config()));
    return watchboard->start();
}

Result<void> App::Impl::start_jobs() {
    jobs = std::make_unique<jobs::JobService>(io, *stamped, *store, *store, clock, job_settings(live.config(), site));
    return jobs->start();
}

ManagerParts App::Impl::manager_parts() {
    return ManagerParts{
        .store = *stamped,
        .feed = *store,
        .heartbeats = *watchboard,
        .jobs = *jobs,
        .clock = clock,
        .health = [this] { return store->health(); },
        .retention = [this] { return store->retention(); },
        .jobs_lag = [this] { return jobs->lag(); },
        .notify = [this] { return notify ? notify->counts() : ipc::notify::Counts{}; },
        .suppressed = [this] { return suppressed->counts(); },
        .reload = [this] { return reload(); },
        .backup_to = [this](int file, Done<Backup> done) { backup(file, std::move(done)); },
        .backup_stream = [this] { return backup(); },
        .backup_percent = [this] { return store->backup_percent(); },
        .config = [this] { return show_config_json(live.loaded()); },
        .log_degraded =
            [](bool began, const std::string& reason) {
                if (began) {
                    log::say(messages::degraded, fmt::format("degraded: {}", reason), {{"REASON", reason}});
                } else {
                    log::say(messages::whole, fmt::format("no longer degraded: {}", reason), {{"REASON", reason}});
                }
            },
        .hostname = site.hostname,
        .store_id = store->store_id()};
}

Result<void> App::Impl::start_manager() {
    auto append = [this](std::vector<Event> events, std::vector<TableChange> rows, Done<Receipt> done,
                         storage::Owner owner) {
        store->append(std::move(events), std::move(rows), std::move(done), owner);
    };
    intake = std::make_unique<LogIntake>(IntakeParts{.append = std::move(append),
                                                     .pressure = [this] { return store->pressure(); },
                                                     .heartbeats = *watchboard,
                                                     .clock = clock,
                                                     .owner_uid = access.owner_uid},
                                         intake_rules(live.config(), site));
    suppressed = std::make_unique<Suppressed>(*stamped, clock, [this] { tell_suppressed_later(); });
    manager = std::make_unique<DaemonManager>(manager_parts());
    intake->on_refused([this](const Error&) { manager->refresh(); });
    intake->on_suppressed([this](const Sender& sender, Suppression reason) { suppressed->add(sender, reason); });
    manager->start();
    watch_jobs();
    commits = store->on_commit([this](const CommitNotice&) { touch_status(); });
    degraded = manager->on_degraded([this](const std::vector<std::string>&) {
        touch_status();
        watch_full_store();
    });
    return {};
}

void App::Impl::watch_jobs() {
    jobs->on_helper([this](const jobs::HelperState& state) {
        set_reason(helper_kind, state.unusable);
        set_reason(limits_kind, state.unlimited);
    });
    jobs->on_output([output = JobOutput(clock, log::info_with)](const Job& job, std::string_view text) mutable {
        output.add(job, text);
    });
    jobs->on_queue_full([this](bool full) {
        if (full) {
            manager->set_degraded(queue_kind, "no more jobs fit; events that ask for scripts wait in the log");
        } else {
            manager->clear_degraded(queue_kind);
        }
    });
}

Result<void> App::Impl::serve_http() {
    warn_of_what_is_seen();
    if (handed_over.http.fd < 0 || handed_over.notify.fd < 0) {
        if (auto made = make_runtime_dir(options.runtime_dir, access.group.has_value()); !made) {
            return made;
        }
    }
    http = std::make_unique<ipc::http::Server>(
        io, services(), clock,
        ipc::http::Options{
            .socket = site.socket,
            .listen_fd = handed_over.http.fd,
            .access = access,
            .authority = &authority,
            .store_id = store->store_id(),
            .listen = live.config().listen_http,
            .compat_listen = live.config().compat_listen,
            .compat = compat_options(live.config()),
            .on_trouble = [this](std::string_view key, const std::string& problem) { set_reason(key, problem); }});
    return http->start();
}

void App::Impl::set_reason(std::string_view kind, const std::string& problem) {
    if (problem.empty()) {
        manager->clear_degraded(kind);
    } else {
        manager->set_degraded(kind, problem);
    }
}

// What goes over a network unencrypted, tokens included.
void App::Impl::warn_of_what_is_seen() const {
    for (const auto& [key, address] : {std::pair{"listen.http", live.config().listen_http},
                                       std::pair{"compat.listen", live.config().compat_listen}}) {
        if (!address.empty() && !ipc::http::is_loopback(address)) {
            log::warning(fmt::format("{} = {} is no loopback address: what goes there can be read on its way; a proxy "
                                     "with TLS, Cockpit or ssh reach 127.0.0.1",
                                     key, address));
        }
    }
}

Result<void> App::Impl::serve_notify() {
    notify = std::make_unique<ipc::notify::Server>(io, *watchboard, clock,
                                                   ipc::notify::Options{.socket = handed_over.notify.path.empty()
                                                                                      ? options.runtime_dir / "notify"
                                                                                      : handed_over.notify.path,
                                                                        .fd = handed_over.notify.fd,
                                                                        .access = access});
    notify->on_trouble([](const std::string& message) { log::warning(message); });
    notify->on_dropped([this](const Sender& sender) { suppressed->add(sender, Suppression::datagram); });
    notify->on_health([this](const std::string& problem) { set_reason(notify_kind, problem); });
    return notify->start();
}

Result<void> App::Impl::connect_bus() {
    if (options.bus == Bus::none) {
        return {};
    }
    const auto kind = options.bus == Bus::system ? ipc::dbus::BusKind::system : ipc::dbus::BusKind::user;
    dbus =
        std::make_unique<ipc::dbus::Service>(io, services(), clock, ipc::dbus::Options{.bus = kind, .access = access});
    dbus->on_lost([this](const std::string& reason) {
        log::say(messages::bus_lost, fmt::format("D-Bus is lost: {}", reason), {{"REASON", reason}});
        stop("without D-Bus", info(Code::unavailable).exit_code);
    });
    authority.use(&dbus->authority());
    return dbus->start();
}

Result<void> App::Impl::watch_signals() {
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
        error_code error;
        signals.add(number, error);
        if (error) {
            return fail(Code::unavailable, "start", "signals", error.message());
        }
    }
    wait_for_signal();
    return {};
}

Result<void> App::Impl::take_name() {
    return dbus ? dbus->request_name() : Result<void>{};
}

// More than the watchdog wants: a daemon that lives but cannot write, or whose jobs stand still, is silent there.
void App::Impl::start_deadman() {
    ping = std::make_unique<CurlPing>([this](auto work) { asio::post(io, std::move(work)); });
    deadman = std::make_unique<Deadman>(
        io, *ping,
        DeadmanHooks{.log = [](const std::string& message) { log::warning(message); },
                     .problem = [this](const std::string& problem) { set_reason(deadman_kind, problem); }});
    deadman->add_proof("the writer", [this](auto answered) { store->ping_writer(std::move(answered)); });
    deadman->add_proof("the readers", [this](auto answered) { store->ping_readers(std::move(answered)); });
    deadman->add_check("the store", [this] {
        const storage::Health health = store->health();
        return health.stopped_writing.empty() && !health.full;
    });
    deadman->add_check("the jobs' reader", [this] {
        const std::uint64_t lag = jobs->lag();
        return jobs_progress.moves(lag, store->last_index() - lag);
    });
    deadman->reconfigure(deadman_settings(live.config()));
}

Result<void> App::Impl::tell_ready() {
    liveness.add_proof("writer", [this](auto answered) { store->ping_writer(std::move(answered)); });
    liveness.add_proof("readers", [this](auto answered) { store->ping_readers(std::move(answered)); });
    if (dbus) {
        liveness.add_check("bus", [this] { return dbus->alive(); });
    }
    liveness.ready(status_text());
    wait_for_watchdog();
    start_deadman();
    log::say(messages::ready,
             fmt::format("tocsind {} is ready on {} and {}: {}", TOCSIN_VERSION, site.socket.string(),
                         dbus ? fmt::format("the {} bus", to_string(options.bus)) : "no bus", status_text()),
             {{"SOCKET", site.socket.string()}});
    return {};
}

App::App(Options options, LiveConfig config) : impl_(std::make_unique<Impl>(std::move(options), std::move(config))) {}
App::~App() = default;

Result<void> App::start() {
    return impl_->start();
}

int App::run() {
    return impl_->run();
}

} // namespace tocsin::daemon
