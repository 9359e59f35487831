// SPDX-License-Identifier: Apache-2.0
#include "daemon/app.hpp"

#include "core/clock.hpp"
#include "daemon/intake.hpp"
#include "daemon/liveness.hpp"
#include "daemon/logging.hpp"
#include "daemon/manager.hpp"
#include "daemon/process.hpp"
#include "daemon/settings.hpp"
#include "daemon/stamped_store.hpp"
#include "daemon/status_line.hpp"
#include "daemon/stop_deadline.hpp"
#include "ipc/dbus/service.hpp"
#include "ipc/http/server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <unistd.h>

namespace tocsin::daemon {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::chrono::seconds stop_limit{20};     // below TimeoutStopSec of the unit
constexpr std::chrono::seconds status_interval{5}; // STATUS= is told at most this often
constexpr std::string_view helper_kind = "jobs-helper";

} // namespace

struct App::Impl {
    Impl(Options given, LiveConfig config) : options(std::move(given)), live(std::move(config)) {}

    Result<void> start();
    int run();

    // The steps of start(), in their order.
    Result<void> take_state_dir();
    Result<void> open_store();
    Result<void> start_heartbeats();
    Result<void> start_jobs();
    Result<void> start_manager();
    Result<void> serve_http();
    Result<void> connect_bus();
    Result<void> watch_signals();
    Result<void> take_name();
    Result<void> tell_ready();

    Services services() { return Services{*intake, *store, *store, *watchboard, *jobs, *manager}; }
    ManagerParts manager_parts();

    // Reload.
    Result<std::vector<std::string>> reload();
    void apply_config();

    // Signals, watchdog, STATUS.
    void wait_for_signal();
    void on_signal(const error_code& error, int number);
    void wait_for_watchdog();
    void on_watchdog(const error_code& error);
    void touch_status();
    std::string status_text() const;

    // The steps of a stop, in their order; each ends by starting the next.
    void stop(std::string_view why, int code);
    void stop_jobs();
    void stop_store();
    void stop_bus();

    Options options;
    LiveConfig live;
    Site site{};
    ipc::AccessPolicy access{};
    SystemClock clock{};
    SystemdNotifier notifier{};
    Liveness liveness{notifier};
    std::optional<StateDir> state_dir{};
    asio::io_context io{1};
    asio::signal_set signals{io};
    asio::steady_timer watchdog{io};
    asio::steady_timer status_timer{io};
    bool status_pending = false;
    std::unique_ptr<storage::Store> store{};
    std::unique_ptr<StampedStore> stamped{};
    std::unique_ptr<heartbeats::Watchboard> watchboard{};
    std::unique_ptr<jobs::JobService> jobs{};
    std::unique_ptr<LogIntake> intake{};
    std::unique_ptr<DaemonManager> manager{};
    std::unique_ptr<ipc::http::Server> http{};
    std::unique_ptr<ipc::dbus::Service> dbus{};
    std::unique_ptr<Subscription> commits{};
    std::unique_ptr<StopDeadline> deadline{};
    int exit_code = 0;
    bool stopping = false;
};

Result<void> App::Impl::start() {
    using Step = Result<void> (Impl::*)();
    static constexpr std::array<Step, 10> steps = {
        &Impl::take_state_dir, &Impl::open_store,  &Impl::start_heartbeats, &Impl::start_jobs, &Impl::start_manager,
        &Impl::serve_http,     &Impl::connect_bus, &Impl::watch_signals,    &Impl::take_name,  &Impl::tell_ready};
    for (const Step step : steps) {
        if (auto done = (this->*step)(); !done) {
            return done;
        }
    }
    return {};
}

Result<void> App::Impl::take_state_dir() {
    auto taken = StateDir::take(options.state_dir);
    if (!taken) {
        return std::unexpected(std::move(taken.error()));
    }
    state_dir = std::move(*taken);
    site = Site{.state_dir = options.state_dir,
                .socket = options.runtime_dir / "tocsin.sock",
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
    auto opened = storage::Store::open(store_options(live.config(), site), std::move(post), clock);
    if (!opened) {
        return std::unexpected(std::move(opened.error()));
    }
    store = std::move(*opened);
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
    return ManagerParts{.store = *stamped,
                        .feed = *store,
                        .heartbeats = *watchboard,
                        .jobs = *jobs,
                        .clock = clock,
                        .health = [this] { return store->health(); },
                        .jobs_lag = [this] { return jobs->lag(); },
                        .reload = [this] { return reload(); },
                        .log_degraded =
                            [](bool began, const std::string& reason) {
                                if (began) {
                                    log::error(fmt::format("degraded: {}", reason));
                                } else {
                                    log::info(fmt::format("no longer degraded: {}", reason));
                                }
                            },
                        .hostname = site.hostname,
                        .store_id = store->store_id()};
}

Result<void> App::Impl::start_manager() {
    auto append = [this](std::vector<Event> events, std::vector<TableChange> rows, Done<Receipt> done) {
        store->append(std::move(events), std::move(rows), std::move(done));
    };
    intake = std::make_unique<LogIntake>(std::move(append), *watchboard, intake_rules(live.config(), site));
    manager = std::make_unique<DaemonManager>(manager_parts());
    intake->on_refused([this](const Error&) { manager->refresh(); });
    manager->start();
    if (::access(site.helper.c_str(), X_OK) != 0) {
        manager->set_degraded(helper_kind, fmt::format("{} is not there; scripts cannot run", site.helper.string()));
    }
    commits = store->on_commit([this](const CommitNotice&) { touch_status(); });
    return {};
}

Result<void> App::Impl::serve_http() {
    const auto handed_over = handed_over_socket();
    if (!handed_over) {
        return std::unexpected(handed_over.error());
    }
    if (*handed_over < 0) {
        if (auto made = make_runtime_dir(options.runtime_dir, access.group.has_value()); !made) {
            return made;
        }
    }
    http = std::make_unique<ipc::http::Server>(
        io, services(), clock,
        ipc::http::Options{
            .socket = site.socket, .listen_fd = *handed_over, .access = access, .store_id = store->store_id()});
    return http->start();
}

Result<void> App::Impl::connect_bus() {
    if (options.bus == Bus::none) {
        return {};
    }
    const auto kind = options.bus == Bus::system ? ipc::dbus::BusKind::system : ipc::dbus::BusKind::user;
    dbus =
        std::make_unique<ipc::dbus::Service>(io, services(), clock, ipc::dbus::Options{.bus = kind, .access = access});
    dbus->on_lost([this](const std::string& reason) {
        log::error(fmt::format("D-Bus is lost: {}", reason));
        stop("without D-Bus", info(Code::unavailable).exit_code);
    });
    auto connected = dbus->start();
    if (!connected) {
        connected.error().reason += "; start the bus, or run tocsind with --bus none to serve on the socket alone";
    }
    return connected;
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

Result<void> App::Impl::tell_ready() {
    liveness.add_proof("writer", [this](auto answered) { store->ping_writer(std::move(answered)); });
    liveness.add_proof("readers", [this](auto answered) { store->ping_readers(std::move(answered)); });
    if (dbus) {
        liveness.add_check("bus", [this] { return dbus->alive(); });
    }
    liveness.ready(status_text());
    wait_for_watchdog();
    log::info(fmt::format("tocsind {} is ready on {} and {}: {}", TOCSIN_VERSION, site.socket.string(),
                          dbus ? fmt::format("the {} bus", to_string(options.bus)) : "no bus", status_text()));
    return {};
}

// ---- reload ----

Result<std::vector<std::string>> App::Impl::reload() {
    liveness.reloading(monotonic_us());
    auto reloaded = live.reload();
    if (reloaded) {
        apply_config();
    }
    liveness.ready(status_text());
    if (!reloaded) {
        log::error(fmt::format("the configuration stays as it was: {}", reloaded.error().detail()));
        return std::unexpected(std::move(reloaded.error()));
    }
    for (const Warning& warning : live.loaded().warnings) {
        log::warning(warning.text());
    }
    if (!reloaded->waiting.empty()) {
        log::warning(
            fmt::format("changed, but in effect only after a restart: {}", fmt::join(reloaded->waiting, ", ")));
    }
    log::info(
        fmt::format("reloaded the configuration; changed: {}",
                    reloaded->changed.empty() ? "nothing" : fmt::format("{}", fmt::join(reloaded->changed, ", "))));
    return std::move(reloaded->changed);
}

void App::Impl::apply_config() {
    log::set_level(live.config().daemon_log_level);
    intake->set_rules(intake_rules(live.config(), site));
    watchboard->reconfigure(heartbeat_settings(live.config()));
    jobs->reconfigure(job_settings(live.config(), site));
}

// ---- signals, watchdog, STATUS ----

void App::Impl::wait_for_signal() {
    signals.async_wait([this](const error_code& error, int number) { on_signal(error, number); });
}

void App::Impl::on_signal(const error_code& error, int number) {
    if (error) {
        return;
    }
    wait_for_signal();
    if (number == SIGHUP) {
        manager->reload([](const Result<void>&) {}); // the result is in the log
    } else {
        stop(number == SIGTERM ? "on SIGTERM" : "on SIGINT", 0);
    }
}

void App::Impl::wait_for_watchdog() {
    const std::int64_t period_us = watchdog_period_us();
    if (period_us > 0) {
        watchdog.expires_after(std::chrono::microseconds(period_us / 2));
        watchdog.async_wait([this](const error_code& error) { on_watchdog(error); });
    }
}

void App::Impl::on_watchdog(const error_code& error) {
    if (error) {
        return;
    }
    if (const auto silent = liveness.tick(); !silent.empty()) {
        log::error(fmt::format("no sign of life from {}: the watchdog gets none either", fmt::join(silent, ", ")));
    }
    wait_for_watchdog();
}

// At most one STATUS an interval, and no timer while nothing happens.
void App::Impl::touch_status() {
    if (status_pending || getenv("NOTIFY_SOCKET") == nullptr) {
        return;
    }
    status_pending = true;
    status_timer.expires_after(status_interval);
    status_timer.async_wait([this](const error_code& error) {
        status_pending = false;
        if (!error && !stopping) {
            liveness.status(status_text());
        }
    });
}

std::string App::Impl::status_text() const {
    return status_line(manager->status(), watchboard->counts(), jobs->counts());
}

// ---- stop ----

void App::Impl::stop(std::string_view why, int code) {
    if (stopping) {
        return;
    }
    stopping = true;
    exit_code = code;
    log::info(fmt::format("stopping {}", why));
    liveness.stopping();
    deadline = std::make_unique<StopDeadline>(stop_limit, [](const std::string& step) {
        log::error(fmt::format("the stop did not finish in {} s; it hangs at: {}", stop_limit.count(), step));
        _exit(1);
    });
    deadline->step("http");
    http->stop([this] { stop_jobs(); });
}

void App::Impl::stop_jobs() {
    deadline->step("jobs");
    jobs->stop([this] { stop_store(); });
}

// What was queued is committed; its answers are posted to the loop and go out before the bus is closed.
void App::Impl::stop_store() {
    deadline->step("store");
    watchboard->stop();
    store->stop();
    asio::post(io, [this] { stop_bus(); });
}

void App::Impl::stop_bus() {
    deadline->step("bus");
    if (dbus) {
        dbus->stop();
    }
    deadline->step("loop");
    io.stop();
}

int App::Impl::run() {
    io.run();
    log::info("stopped");
    return exit_code;
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
