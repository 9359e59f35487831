// SPDX-License-Identifier: Apache-2.0
#include "storage/backup.hpp"

#include "storage/backup_mark.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <pthread.h>
#include <utility>

namespace tocsin::storage {

namespace {

constexpr std::uint64_t beyond_part = 16; // of max_bytes: by which a backup may take the store beyond
constexpr unsigned percent_whole = 100;
constexpr std::uint64_t us_per_s = 1'000'000;

std::int64_t monotonic_us() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

// A signal in the middle of a write would cut the copy short, and a broken socket is no reason to die.
void block_signals() {
    sigset_t all{};
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

} // namespace

void Backups::to_file(Fd file, Begin begin, Done<Backup> done) {
    auto started = check_backup_file(file.get());
    const auto sink = file_sink(std::move(file), post_, std::move(done));
    if (started) {
        started = start(sink, begin);
    }
    if (!started) {
        sink->end(std::unexpected(std::move(started.error())));
    }
}

Result<std::unique_ptr<BackupStream>> Backups::stream(Begin begin) {
    std::unique_ptr<BackupStream> stream;
    auto started = start(pulled_sink(post_, bounds_.stall_us_max, stream), begin);
    if (!started) {
        return std::unexpected(std::move(started.error()));
    }
    return stream;
}

Result<void> Backups::start(std::shared_ptr<BackupSink> sink, Begin begin) {
    const std::scoped_lock lock(mutex_);
    if (stopping_) {
        return fail(Code::unavailable, "backup", "", "the daemon is stopping");
    }
    if (busy_) {
        return fail(Code::conflict, "backup", "", "another backup is being made; wait until it has ended");
    }
    if (thread_.joinable()) {
        thread_.join(); // it has ended
    }
    busy_ = true;
    began_us_ = monotonic_us();
    done_bytes_ = 0;
    all_bytes_ = env_.used_bytes();
    sink_ = sink;
    thread_ = std::thread([this, sink = std::move(sink), begin] { run(sink, begin); });
    return {};
}

void Backups::run(const std::shared_ptr<BackupSink>& sink, Begin begin) {
    block_signals();
    auto result = copy(*sink, begin);
    {
        const std::scoped_lock lock(mutex_);
        sink_.reset();
    }
    busy_ = false; // before anybody hears of the end: the next one may begin then
    sink->end(std::move(result));
}

Result<Backup> Backups::copy(BackupSink& sink, Begin begin) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return std::unexpected(file_error(errno, "backup", "socket"));
    }
    const Fd reading(ends[0]);
    Fd writing(ends[1]);
    {
        const std::scoped_lock lock(mutex_);
        reading_ = reading.get();
    }
    Result<void> copied;
    std::thread copier([this, &copied, &writing] {
        block_signals();
        copied = env_.copy_to(writing.get());
        ::shutdown(writing.get(), SHUT_RDWR);
    });
    BackupMark mark{.bytes = 0, .made_us = begin.now_us, .last_index = begin.last_index, .checksum = 0};
    const auto bytes = relay(reading.get(), sink, mark.checksum);
    ::shutdown(reading.get(), SHUT_RDWR); // what is left is not wanted
    copier.join();
    {
        const std::scoped_lock lock(mutex_);
        reading_ = -1;
    }
    if (!bytes || !copied) {
        return std::unexpected(bytes ? copied.error() : bytes.error());
    }
    mark.bytes = *bytes;
    if (auto last = sink.take(encode_mark(mark)); !last) {
        return std::unexpected(last.error());
    }
    return Backup{.bytes = mark.bytes + mark_bytes, .last_index = mark.last_index};
}

Result<std::uint64_t> Backups::relay(int socket, BackupSink& sink, std::uint64_t& checksum) {
    PieceHash hash;
    std::uint64_t bytes = 0;
    for (bool more = true; more;) {
        std::string piece;
        if (const int rc = read_up_to(socket, piece, piece_bytes); rc != 0) {
            return std::unexpected(file_error(rc, "backup", "the copy"));
        }
        more = piece.size() == piece_bytes;
        if (auto fine = within_bounds(); !fine) {
            return std::unexpected(fine.error());
        }
        if (piece.empty()) {
            break;
        }
        hash.add(piece);
        bytes += piece.size();
        if (auto taken = sink.take(std::move(piece)); !taken) {
            return std::unexpected(taken.error());
        }
        done_bytes_ = bytes;
    }
    checksum = hash.value();
    return bytes;
}

Result<void> Backups::within_bounds() const {
    if (monotonic_us() - began_us_ > bounds_.time_us_max) {
        return fail(Code::limit_exceeded, "backup", "",
                    "took longer than " + std::to_string(static_cast<std::uint64_t>(bounds_.time_us_max) / us_per_s) +
                        " s; write it to a faster place");
    }
    const std::uint64_t before = all_bytes_;
    const std::uint64_t now = env_.used_bytes();
    // A store at its limit goes on taking events, in place of older ones whose pages the backup holds.
    const std::uint64_t half = bounds_.max_bytes > before ? (bounds_.max_bytes - before) / 2 : 0;
    const std::uint64_t may_grow = std::max(half, bounds_.max_bytes / beyond_part);
    if (now > before && now - before > std::min(bounds_.growth_bytes, may_grow)) {
        return fail(Code::limit_exceeded, "backup", "",
                    "the store grew by " + std::to_string((now - before) / limits::MiB) +
                        " MiB meanwhile, as its old pages are held; write it to a faster place, or when less comes in");
    }
    return {};
}

std::optional<unsigned> Backups::percent() const {
    if (!busy_) {
        return std::nullopt;
    }
    const std::uint64_t all = std::max<std::uint64_t>(all_bytes_, 1);
    return static_cast<unsigned>(std::min(done_bytes_ * percent_whole / all, std::uint64_t{percent_whole}));
}

void Backups::stop() {
    std::thread last;
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
        if (sink_) {
            sink_->give_up();
        }
        if (reading_ >= 0) {
            ::shutdown(reading_, SHUT_RDWR);
        }
        last = std::move(thread_);
    }
    if (last.joinable()) {
        last.join();
    }
}

} // namespace tocsin::storage
