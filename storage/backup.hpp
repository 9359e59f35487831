// SPDX-License-Identifier: Apache-2.0
// Backups of a store that is being written: one thread has LMDB write the pages of one transaction into a socket,
// another reads them from there, checks the bounds, and hands them on piece by piece with the mark behind the last. So
// whoever takes the pieces slowly, or never, holds up neither the writer of the log nor its readers.
#pragma once

#include "core/ports.hpp"
#include "storage/file_io.hpp"
#include "storage/lmdb_env.hpp"
#include "storage/store.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace tocsin::storage {

struct BackupBounds {
    std::int64_t time_us_max = limits::backup_us_max;
    std::int64_t stall_us_max = limits::backup_stall_us_max;
    std::uint64_t growth_bytes = limits::backup_growth_bytes;
    std::uint64_t max_bytes =
        0; // of the store: half of what is left there may be used up meanwhile, or a sixteenth of all
};

// Where the pieces go. Called by the backup's thread alone.
class BackupSink {
public:
    virtual ~BackupSink() = default;
    virtual Result<void> take(std::string piece) = 0;
    // Told once, after the last piece; done, or the reason why not.
    virtual void end(Result<Backup> result) = 0;
    // From another thread: no more pieces will be waited for.
    virtual void give_up() = 0;
};

class Backups {
public:
    Backups(Env& env, BackupBounds bounds, const Post& post) : env_(env), bounds_(bounds), post_(post) {}
    ~Backups() { stop(); }
    Backups(const Backups&) = delete;
    Backups& operator=(const Backups&) = delete;

    // What the mark says; conflict while another one runs.
    struct Begin {
        std::uint64_t last_index = 0;
        std::int64_t now_us = 0;
    };
    void to_file(Fd file, Begin begin, Done<Backup> done);
    Result<std::unique_ptr<BackupStream>> stream(Begin begin);

    std::optional<unsigned> percent() const;
    void stop();

private:
    Result<void> start(std::shared_ptr<BackupSink> sink, Begin begin);
    void run(const std::shared_ptr<BackupSink>& sink, Begin begin);
    Result<Backup> copy(BackupSink& sink, Begin begin);
    Result<std::uint64_t> relay(int socket, BackupSink& sink, std::uint64_t& checksum);
    Result<void> within_bounds() const;

    Env& env_;
    BackupBounds bounds_;
    const Post& post_;
    std::mutex mutex_{};
    std::shared_ptr<BackupSink> sink_{}; // of the backup under way
    int reading_ = -1;                   // its socket
    std::thread thread_{};
    bool stopping_ = false;
    std::atomic<bool> busy_{false};
    std::atomic<std::uint64_t> done_bytes_{0};
    std::atomic<std::uint64_t> all_bytes_{0};
    std::int64_t began_us_ = 0; // of the monotonic clock
};

// ---- sinks ----

// An empty regular file, flushed at the end.
std::shared_ptr<BackupSink> file_sink(Fd file, const Post& post, Done<Backup> done);
// Whoever holds `stream` pulls; a piece that is not pulled in time ends the backup.
std::shared_ptr<BackupSink> pulled_sink(const Post& post, std::int64_t stall_us_max,
                                        std::unique_ptr<BackupStream>& stream);
// Whether a descriptor from elsewhere is a regular file, empty, and open for writing.
Result<void> check_backup_file(int file);

} // namespace tocsin::storage
