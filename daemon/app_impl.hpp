// SPDX-License-Identifier: Apache-2.0
// What App is made of: the parts in the order in which they are built (and, backwards, destroyed), and the steps of its
// life.
#pragma once

#include "core/clock.hpp"
#include "daemon/app.hpp"
#include "daemon/curl_ping.hpp"
#include "daemon/deadman.hpp"
#include "daemon/intake.hpp"
#include "daemon/liveness.hpp"
#include "daemon/manager.hpp"
#include "daemon/process.hpp"
#include "daemon/settings.hpp"
#include "daemon/stamped_store.hpp"
#include "daemon/stop_deadline.hpp"
#include "daemon/suppressed.hpp"
#include "ipc/dbus/service.hpp"
#include "ipc/http/server.hpp"
#include "ipc/notify/server.hpp"
#include "pictures/painter.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::daemon {

namespace asio = boost::asio;
using boost::system::error_code;

struct App::Impl {
    Impl(Options given, LiveConfig config) : options(std::move(given)), live(std::move(config)) {}

    Result<void> start();
    int run();

    // The steps of start(), in their order.
    Result<void> settle(); // state directory, sockets, group
    Result<void> open_store();
    Result<void> start_heartbeats();
    Result<void> start_jobs();
    Result<void> start_manager();
    Result<void> serve_http();
    Result<void> serve_notify();
    void warn_of_what_is_seen() const;
    Result<void> connect_bus();
    Result<void> watch_signals();
    Result<void> take_name();
    Result<void> tell_ready();

    Services services() { return Services{*intake, *store, *store, *watchboard, *jobs, *manager, *store, painter}; }
    ManagerParts manager_parts();
    void start_deadman();
    void set_reason(std::string_view kind, const std::string& problem); // degraded; "": no longer

    // Reload.
    Result<std::vector<std::string>> reload();
    void apply_config();

    // Backups, with their beginning in STATUS and their end in the log.
    void backup(int file, Done<Backup> done);
    Result<std::unique_ptr<BackupStream>> backup();

    void tell_suppressed_later();

    // Signals, watchdog, STATUS.
    void wait_for_signal();
    void on_signal(const error_code& error, int number);
    void wait_for_watchdog();
    void on_watchdog(const error_code& error);
    void touch_status();
    void watch_full_store();
    void watch_jobs();
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
    ipc::LateAuthority authority{};
    SystemClock clock{};
    SystemdNotifier notifier{};
    Liveness liveness{notifier};
    std::optional<StateDir> state_dir{};
    HandedOver handed_over{};
    asio::io_context io{1};
    asio::signal_set signals{io};
    asio::steady_timer watchdog{io};
    asio::steady_timer status_timer{io};
    asio::steady_timer full_timer{io};
    asio::steady_timer suppressed_timer{io};
    bool status_pending = false;
    std::unique_ptr<storage::Store> store{};
    pictures::Painter painter{[this](std::move_only_function<void()> work) { asio::post(io, std::move(work)); }};
    std::unique_ptr<StampedStore> stamped{};
    std::unique_ptr<heartbeats::Watchboard> watchboard{};
    std::unique_ptr<jobs::JobService> jobs{};
    std::unique_ptr<Suppressed> suppressed{};
    std::unique_ptr<LogIntake> intake{};
    std::unique_ptr<DaemonManager> manager{};
    std::unique_ptr<ipc::http::Server> http{};
    std::unique_ptr<ipc::notify::Server> notify{};
    std::unique_ptr<ipc::dbus::Service> dbus{};
    ReaderProgress jobs_progress{};
    std::unique_ptr<CurlPing> ping{};
    std::unique_ptr<Deadman> deadman{};
    std::unique_ptr<Subscription> commits{};
    std::unique_ptr<Subscription> degraded{};
    std::unique_ptr<StopDeadline> deadline{};
    int exit_code = 0;
    bool stopping = false;
};

} // namespace tocsin::daemon
