// SPDX-License-Identifier: Apache-2.0
#include "storage/backup.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <utility>

namespace tocsin::storage {

namespace {

class FileSink final : public BackupSink {
public:
    FileSink(Fd file, const Post& post, Done<Backup> done)
        : file_(std::move(file)), post_(post), done_(std::move(done)) {}

    Result<void> take(std::string piece) override {
        if (given_up_) {
            return fail(Code::unavailable, "backup", "", "the daemon is stopping");
        }
        begun_ = true;
        const int rc = write_whole(file_.get(), piece);
        return rc == 0 ? Result<void>{} : std::unexpected(file_error(rc, "backup", "the file"));
    }

    void end(Result<Backup> result) override {
        if (const int rc = result ? flush_file(file_.get()) : 0; rc != 0) {
            result = std::unexpected(file_error(rc, "backup", "the file"));
        }
        if (!result && begun_) { // half a backup is none
            [[maybe_unused]] const int emptied = ::ftruncate(file_.get(), 0);
        }
        file_.reset();
        post_([done = std::move(done_), result = std::move(result)]() mutable { done(std::move(result)); });
    }

    void give_up() override { given_up_ = true; }

private:
    Fd file_;
    const Post& post_;
    Done<Backup> done_;
    bool begun_ = false; // what is in the file is ours
    std::atomic<bool> given_up_{false};
};

// Between the thread that has pieces and the io thread that asks for them.
class PulledSink final : public BackupSink {
public:
    PulledSink(const Post& post, std::int64_t stall_us_max) : post_(post), stall_(stall_us_max) {}

    void pull(Done<std::string> ready) {
        const std::scoped_lock lock(mutex_);
        ready_ = std::move(ready);
        if (ended_) {
            answer(last_answer());
        }
        wake_.notify_all();
    }

    Result<void> take(std::string piece) override {
        std::unique_lock lock(mutex_);
        if (!wake_.wait_for(lock, stall_, [this] { return ready_ || gone_; })) {
            return fail(Code::limit_exceeded, "backup", "",
                        "nobody took the next piece for " +
                            std::to_string(std::chrono::duration_cast<std::chrono::seconds>(stall_).count()) + " s");
        }
        if (gone_) {
            return fail(Code::unavailable, "backup", "", "was not wanted any more");
        }
        answer(std::move(piece));
        return {};
    }

    void end(Result<Backup> result) override {
        const std::scoped_lock lock(mutex_);
        ended_ = std::move(result);
        if (ready_) {
            answer(last_answer());
        }
    }

    void give_up() override {
        const std::scoped_lock lock(mutex_);
        gone_ = true;
        wake_.notify_all();
    }

private:
    Result<std::string> last_answer() const {
        return *ended_ ? Result<std::string>(std::string()) : std::unexpected(ended_->error());
    }
    void answer(Result<std::string> result) {
        post_([ready = std::exchange(ready_, nullptr), result = std::move(result)]() mutable {
            ready(std::move(result));
        });
    }

    const Post& post_;
    std::chrono::microseconds stall_;
    std::mutex mutex_{};
    std::condition_variable wake_{};
    Done<std::string> ready_{};
    std::optional<Result<Backup>> ended_{};
    bool gone_ = false;
};

class PulledStream final : public BackupStream {
public:
    explicit PulledStream(std::shared_ptr<PulledSink> sink) : sink_(std::move(sink)) {}
    ~PulledStream() override { sink_->give_up(); }
    PulledStream(const PulledStream&) = delete;
    PulledStream& operator=(const PulledStream&) = delete;
    void pull(Done<std::string> ready) override { sink_->pull(std::move(ready)); }

private:
    std::shared_ptr<PulledSink> sink_;
};

} // namespace

std::shared_ptr<BackupSink> file_sink(Fd file, const Post& post, Done<Backup> done) {
    return std::make_shared<FileSink>(std::move(file), post, std::move(done));
}

std::shared_ptr<BackupSink> pulled_sink(const Post& post, std::int64_t stall_us_max,
                                        std::unique_ptr<BackupStream>& stream) {
    auto sink = std::make_shared<PulledSink>(post, stall_us_max);
    stream = std::make_unique<PulledStream>(sink);
    return sink;
}

Result<void> check_backup_file(int file) {
    struct stat status{};
    const int flags = ::fcntl(file, F_GETFL);
    if (flags < 0 || ::fstat(file, &status) != 0) {
        return std::unexpected(file_error(errno, "backup", "file"));
    }
    if (!S_ISREG(status.st_mode)) {
        return fail(Code::invalid_argument, "backup", "file", "is not a regular file");
    }
    if ((flags & O_ACCMODE) == O_RDONLY) {
        return fail(Code::invalid_argument, "backup", "file", "is not open for writing");
    }
    if (status.st_size != 0) {
        return fail(Code::conflict, "backup", "file", "is not empty, and nothing is overwritten; give a new file");
    }
    ::lseek(file, 0, SEEK_SET); // an empty file may stand anywhere
    return {};
}

} // namespace tocsin::storage
