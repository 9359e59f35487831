// SPDX-License-Identifier: Apache-2.0
// From READY to the end: reload, signals, watchdog, STATUS, stop.
#include "daemon/app_impl.hpp"

#include "core/limits.hpp"
#include "daemon/logging.hpp"
#include "daemon/settings.hpp"
#include "daemon/status_line.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <unistd.h>

namespace tocsin::daemon {

namespace {

constexpr std::chrono::seconds stop_limit{20};     // below TimeoutStopSec of the unit
constexpr std::chrono::seconds status_interval{5}; // STATUS= is told at most this often
constexpr std::chrono::seconds full_interval{1};   // a full store is looked at this often

// Whoever fetches a backup learns of its end only by the mark behind it; the reason is in the log.
class LoggedBackup final : public BackupStream {
public:
    explicit LoggedBackup(std::unique_ptr<BackupStream> from) : from_(std::move(from)) {}
    void pull(Done<std::string> ready) override {
        from_->pull([ready = std::move(ready)](Result<std::string> piece) mutable {
            if (!piece) {
                log::say(messages::backup_failed, fmt::format("no backup was made: {}", piece.error().detail()));
            } else if (piece->empty()) {
                log::say(messages::backup_made, "a backup was fetched");
            }
            ready(std::move(piece));
        });
    }

private:
    std::unique_ptr<BackupStream> from_;
};

} // namespace

// ---- reload ----

Result<std::vector<std::string>> App::Impl::reload() {
    liveness.reloading(monotonic_us());
    auto reloaded = live.reload();
    if (reloaded) {
        apply_config();
    }
    liveness.ready(status_text());
    if (!reloaded) {
        log::say(messages::reload_refused,
                 fmt::format("the configuration stays as it was: {}", reloaded.error().detail()));
        return std::unexpected(std::move(reloaded.error()));
    }
    for (const Warning& warning : live.loaded().warnings) {
        log::warning(warning.text());
    }
    if (!reloaded->waiting.empty()) {
        log::warning(
            fmt::format("changed, but in effect only after a restart: {}", fmt::join(reloaded->waiting, ", ")));
    }
    log::say(
        messages::reloaded,
        fmt::format("reloaded the configuration; changed: {}",
                    reloaded->changed.empty() ? "nothing" : fmt::format("{}", fmt::join(reloaded->changed, ", "))));
    return std::move(reloaded->changed);
}

void App::Impl::apply_config() {
    log::set_level(live.config().daemon_log_level);
    intake->set_rules(intake_rules(live.config(), site));
    watchboard->reconfigure(heartbeat_settings(live.config()));
    jobs->reconfigure(job_settings(live.config(), site));
    deadman->reconfigure(deadman_settings(live.config()));
}

// ---- backups ----

void App::Impl::backup(int file, Done<Backup> done) {
    auto ended = [this, done = std::move(done)](Result<Backup> result) mutable {
        if (result) {
            log::say(messages::backup_made, fmt::format("made a backup of {} bytes with the events up to {}",
                                                        result->bytes, result->last_index));
        } else {
            log::say(messages::backup_failed, fmt::format("no backup was made: {}", result.error().detail()));
        }
        done(std::move(result));
    };
    store->backup(file, std::move(ended));
    touch_status();
}

Result<std::unique_ptr<BackupStream>> App::Impl::backup() {
    auto stream = store->backup();
    if (stream) {
        stream = std::make_unique<LoggedBackup>(std::move(*stream));
    }
    touch_status();
    return stream;
}

// ---- what was not taken in ----

void App::Impl::tell_suppressed_later() {
    suppressed_timer.expires_after(std::chrono::microseconds(limits::suppressed_us));
    suppressed_timer.async_wait([this](const error_code& error) {
        if (!error && !stopping) {
            suppressed->tell();
        }
    });
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
        log::say(messages::hangs,
                 fmt::format("no sign of life from {}: the watchdog gets none either", fmt::join(silent, ", ")));
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
            if (store->backup_percent() || store->health().indexing_percent) {
                touch_status(); // it goes on without commits
            }
        }
    });
}

// A full store that found space again says so to nobody.
void App::Impl::watch_full_store() {
    if (stopping || !manager->store_is_full()) {
        return;
    }
    full_timer.expires_after(full_interval);
    full_timer.async_wait([this](const error_code& error) {
        if (!error) {
            manager->refresh();
            watch_full_store();
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
    log::say(messages::stopping, fmt::format("stopping {}", why));
    liveness.stopping();
    deadline = std::make_unique<StopDeadline>(stop_limit, [](const std::string& step) {
        log::error(fmt::format("the stop did not finish in {} s; it hangs at: {}", stop_limit.count(), step));
        _exit(1);
    });
    if (deadman) {
        deadman->stop();
    }
    if (notify) {
        notify->stop();
    }
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
    suppressed_timer.cancel();
    suppressed->tell();
    watchboard->stop();
    store->stop();
    asio::post(io, [this] { stop_bus(); });
}

void App::Impl::stop_bus() {
    deadline->step("bus");
    authority.use(nullptr);
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

} // namespace tocsin::daemon
