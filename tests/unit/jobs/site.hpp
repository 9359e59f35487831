// SPDX-License-Identifier: Apache-2.0
// A place for tests of jobs: a directory of its own with scripts, the loop, the log in memory, and waiting for
// conditions.
#pragma once

#include "fake_log.hpp"

#include "core/clock.hpp"
#include "jobs/job_service.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace tocsin::jobs::test {

namespace fs = std::filesystem;

// tocsin-spark of this build: bin/ beside tests/.
inline std::string helper_path() {
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    return (self.parent_path() / "../../bin/tocsin-spark").lexically_normal().string();
}

class TempDirectory {
public:
    TempDirectory() {
        std::string name = "/tmp/tocsin-jobs-XXXXXX";
        path_ = ::mkdtemp(name.data()) != nullptr ? name : "/nonexistent";
    }
    ~TempDirectory() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TempDirectory(const TempDirectory&) = delete;
    TempDirectory& operator=(const TempDirectory&) = delete;
    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

inline std::string read_file(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

// Runs the loop until `condition` holds; false when that takes too long.
template <typename Condition> bool run_until(boost::asio::io_context& io, Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        io.restart();
        io.run_one_for(std::chrono::milliseconds(10));
    }
    return true;
}

// Processes whose environment has `marker`: the script and all that it started.
inline std::vector<pid_t> processes_with(const std::string& marker) {
    std::vector<pid_t> found;
    std::error_code error;
    for (fs::directory_iterator at("/proc", error); !error && at != fs::directory_iterator{}; at.increment(error)) {
        const std::string name = at->path().filename().string();
        if (name.find_first_not_of("0123456789") == std::string::npos &&
            read_file(at->path() / "environ").find(marker) != std::string::npos) {
            found.push_back(static_cast<pid_t>(std::strtol(name.c_str(), nullptr, 10)));
        }
    }
    return found;
}

class Site : public ::testing::Test {
protected:
    Site() {
        for (const char* name : {"spark.d", "notes", "tmp"}) {
            ::mkdir((root_.path() / name).c_str(), 0755);
        }
        ::setenv("TMPDIR", (root_.path() / "tmp").c_str(), 1); // the helpers' working directories
        settings_.helper = helper_path();
        settings_.directories = {root_.path() / "spark.d"};
        settings_.products = root_.path() / "products";
        settings_.socket = (root_.path() / "tocsin.sock").string();
        settings_.owner_is_root = false;
        settings_.kill_after_us = 300'000;
    }
    ~Site() override {
        service_.reset();
        EXPECT_TRUE(run_until(io_, [this] { return processes_with(marker()).empty(); })) << "a process was left behind";
        while (::waitpid(-1, nullptr, WNOHANG) > 0) { // helpers of a service that "crashed"
        }
    }

    std::string marker() const { return "TOCSIN_SOCKET=" + settings_.socket; }
    // What helpers left in the place of their working directories.
    std::size_t left_behind() const {
        std::error_code error;
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(root_.path() / "tmp", error), {}));
    }
    fs::path notes(std::string_view name) const { return root_.path() / "notes" / name; }

    // A shell script; "NOTES" in it is a directory that outlives the job.
    void script(const std::string& name, std::string body, mode_t mode = 0755) {
        for (std::size_t at = 0; (at = body.find("NOTES", at)) != std::string::npos;) {
            body.replace(at, 5, (root_.path() / "notes").string());
        }
        const fs::path path = root_.path() / "spark.d" / name;
        std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
        ::chmod(path.c_str(), mode);
    }

    void start() {
        service_ = std::make_unique<JobService>(io_, log_, log_, log_, clock_, settings_);
        const auto started = service_->start();
        ASSERT_TRUE(started) << started.error().detail();
    }
    // The daemon dies and comes back.
    void crash_and_start() {
        service_.reset();
        start();
    }

    static Event event(std::string script, std::string source = "detector") {
        Event event;
        event.event_name = "test.event";
        event.event_src = std::move(source);
        event.event_time_us = 1'767'322'804'000'000;
        event.scid = 7;
        event.severity = Severity::error;
        event.spark_script = std::move(script);
        return event;
    }
    std::uint64_t submit(std::string script) { return log_.submit(event(std::move(script))); }

    // Calls something with a Done and waits for its answer.
    template <typename T, typename Call> Result<T> ask(Call call) {
        std::optional<Result<T>> answer;
        call(Done<T>([&answer](Result<T> result) { answer = std::move(result); }));
        EXPECT_TRUE(run_until(io_, [&answer] { return answer.has_value(); })) << "no answer came";
        return answer ? std::move(*answer) : fail(Code::unavailable, "test", "", "no answer");
    }
    Result<ListPage<Job>> list(const ListFilter& filter, std::size_t limit = 0, const std::string& cursor = "") {
        return ask<ListPage<Job>>(
            [this, &filter, limit, &cursor](auto done) { service_->list(filter, limit, cursor, std::move(done)); });
    }
    std::optional<Job> job_of(std::uint64_t index) {
        const auto page = list({{"unique_index", {std::to_string(index)}}});
        return page && !page->items.empty() ? std::optional(page->items.front()) : std::nullopt;
    }
    // The job of an event once `state` is reached.
    Job await(std::uint64_t index, JobState state) {
        std::optional<Job> job;
        const bool reached = run_until(io_, [this, &job, index, state] {
            job = job_of(index);
            return job && job->state == state;
        });
        EXPECT_TRUE(reached) << "wanted " << to_string(state) << ", is " << (job ? to_string(job->state) : "not there")
                             << (job ? ": " + job->reason : "");
        return job.value_or(Job{});
    }
    Job await_end(std::uint64_t index) {
        std::optional<Job> job;
        EXPECT_TRUE(run_until(io_, [this, &job, index] {
            job = job_of(index);
            return job && is_final(job->state);
        })) << "the job does not end";
        return job.value_or(Job{});
    }
    Result<std::string> output_of(const Job& job) {
        return ask<std::string>([this, &job](auto done) { service_->output(job.id, std::move(done)); });
    }
    Result<void> set_report(std::uint64_t index, std::int64_t id, const std::string& url = "") {
        return ask<void>([this, index, id, &url](auto done) { service_->set_report(index, id, url, std::move(done)); });
    }
    Result<Job> cancel(std::uint64_t id) {
        return ask<Job>([this, id](auto done) { service_->cancel(id, std::move(done)); });
    }
    Result<Job> run(std::uint64_t index, const std::string& name) {
        return ask<Job>([this, index, &name](auto done) { service_->run(index, name, std::move(done)); });
    }
    // What readers would join to the event.
    std::optional<std::pair<std::int64_t, std::string>> report_on(std::uint64_t index) {
        const auto& rows = log_.rows(Table::reports);
        const auto found = rows.find(report_key(index));
        return found == rows.end() ? std::nullopt : std::optional(decode_report(found->second).value());
    }

    TempDirectory root_{};
    boost::asio::io_context io_{};
    FakeLog log_{io_};
    SystemClock clock_{};
    Settings settings_{};
    std::unique_ptr<JobService> service_{};
};

} // namespace tocsin::jobs::test
