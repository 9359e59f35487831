// SPDX-License-Identifier: Apache-2.0
// Scripts of every kind, run by the real helper: what becomes of the job, and that no process is left.
#include "site.hpp"

#include "core/json.hpp"
#include "core/limits.hpp"

#include <csignal>

namespace tocsin::jobs::test {
namespace {

class ScriptRun : public Site {
protected:
    void TearDown() override { EXPECT_EQ(left_behind(), 0U) << "a working directory"; }
};

TEST_F(ScriptRun, ReportLandsOnTheEvent) {
    script("good", R"(cat > event.json
echo '{"spark_report_id": 17, "url": "http://x/17"}' >&3
echo made; echo also >&2)");
    start();
    const auto index = submit("good");
    const Job job = await_end(index);
    EXPECT_EQ(job.state, JobState::succeeded) << job.reason;
    EXPECT_EQ(job.report_id, 17);
    EXPECT_EQ(job.report_url, "http://x/17");
    EXPECT_EQ(job.exit_status, 0);
    EXPECT_EQ(job.attempt, 1U);
    EXPECT_LE(job.queued_us, job.started_us);
    EXPECT_LT(job.started_us, job.ended_us);
    EXPECT_EQ(report_on(index), (std::pair<std::int64_t, std::string>{17, "http://x/17"}));
    EXPECT_EQ(output_of(job), "made\nalso\n");
    EXPECT_EQ(log_.names_caused_by(index), (std::vector<std::string>{"job.started", "job.succeeded"}));
    // What it left is kept: the event as it got it.
    std::string wanted;
    Event stored = event("good");
    stored.unique_index = index;
    json::append_object(wanted, stored);
    EXPECT_EQ(read_file(settings_.products / std::to_string(job.id) / "event.json"), wanted);
}

TEST_F(ScriptRun, SilenceIsTheJobId) {
    script("silent", "exit 0");
    start();
    const auto index = submit("silent");
    const Job job = await_end(index);
    EXPECT_EQ(job.state, JobState::succeeded);
    EXPECT_EQ(job.report_id, static_cast<std::int64_t>(job.id));
    EXPECT_EQ(report_on(index)->first, static_cast<std::int64_t>(job.id));
    std::error_code error;
    EXPECT_FALSE(fs::exists(settings_.products / std::to_string(job.id), error)) << "nothing was left in it";
}

TEST_F(ScriptRun, ExitCodesAndSignalsAreFailures) {
    script("three", "echo why >&2; exit 3");
    script("killed", "kill -SEGV $$");
    start();
    const auto three = submit("three");
    const auto killed = submit("killed");
    const Job a = await_end(three);
    EXPECT_EQ(a.state, JobState::failed);
    EXPECT_EQ(a.exit_status, 3);
    EXPECT_EQ(a.reason, "exit status 3");
    EXPECT_EQ(output_of(a), "why\n");
    const Job b = await_end(killed);
    EXPECT_EQ(b.state, JobState::failed);
    EXPECT_EQ(b.exit_status, 128 + SIGSEGV);
    EXPECT_EQ(b.reason, "ended by SIGSEGV");
    EXPECT_EQ(log_.names_caused_by(killed), (std::vector<std::string>{"job.started", "job.failed"}));
    EXPECT_FALSE(report_on(killed));
}

TEST_F(ScriptRun, DeadlineEndsWhoListensWithTerm) {
    script("slow", "trap 'echo told; exit 0' TERM; while :; do :; done");
    settings_.timeout_us = 1'000'000;
    settings_.kill_after_us = 5'000'000;
    start();
    const Job job = await_end(submit("slow"));
    EXPECT_EQ(job.state, JobState::timed_out);
    EXPECT_EQ(job.reason, "ran longer than 1s");
    EXPECT_EQ(output_of(job), "told\n");
}

TEST_F(ScriptRun, DeadlineEndsTheDeafWithKill) {
    script("deaf", "trap '' TERM; while :; do :; done");
    settings_.timeout_us = 1'000'000;
    start();
    const Job job = await_end(submit("deaf"));
    EXPECT_EQ(job.state, JobState::timed_out);
    EXPECT_EQ(job.exit_status, 128 + SIGKILL);
    EXPECT_GE(job.ended_us - job.started_us, 1'300'000) << "the grace was not kept";
    EXPECT_EQ(log_.events_named("job.timed-out").size(), 1U);
}

// A daemon of the script's own: new session, no parent, deaf. It must not outlive the job.
constexpr auto escape = R"(
cat > escaped.py <<'PY'
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(2):
    if os.fork():
        os._exit(0)
    os.setsid()
open(sys.argv[1], "w").write(str(os.getpid()))
while True:
    time.sleep(1)
PY
python3 -I -S escaped.py NOTES/escaped
while [ ! -s NOTES/escaped ]; do :; done
)";

TEST_F(ScriptRun, EscapedGrandchildrenEndWithTheScript) {
    script("parent", std::string(escape) + "rm escaped.py; exit 0");
    start();
    const Job job = await_end(submit("parent"));
    EXPECT_EQ(job.state, JobState::succeeded) << job.reason;
    EXPECT_FALSE(read_file(notes("escaped")).empty());
    EXPECT_TRUE(processes_with(marker()).empty()) << "the job ended before its tree";
}

TEST_F(ScriptRun, EscapedGrandchildrenEndWithTheDeadline) {
    script("parent", std::string(escape) + "while :; do :; done");
    settings_.timeout_us = 4'000'000;
    start();
    const Job job = await_end(submit("parent"));
    EXPECT_EQ(job.state, JobState::timed_out);
    EXPECT_FALSE(read_file(notes("escaped")).empty());
    EXPECT_TRUE(processes_with(marker()).empty());
}

TEST_F(ScriptRun, StoppedProcessesEndToo) {
    script("stopped", "echo before; kill -STOP $$; echo after");
    settings_.timeout_us = 200'000;
    start();
    const Job job = await_end(submit("stopped"));
    EXPECT_EQ(job.state, JobState::timed_out);
    EXPECT_EQ(job.exit_status, 128 + SIGTERM) << "SIGTERM did not reach it";
}

TEST_F(ScriptRun, OutputIsBoundedAndCounted) {
    script("loud", "head -c 3000000 /dev/zero | tr '\\0' x");
    start();
    const Job job = await_end(submit("loud"));
    EXPECT_EQ(job.state, JobState::succeeded);
    EXPECT_EQ(job.output_bytes, 3'000'000U);
    EXPECT_TRUE(job.truncated);
    EXPECT_EQ(output_of(job), std::string(limits::job_output_bytes, 'x'));
}

TEST_F(ScriptRun, AFloodDoesNotHoldUpTheDeadline) {
    script("flood", "exec yes");
    settings_.timeout_us = 300'000;
    start();
    const Job job = await_end(submit("flood"));
    EXPECT_EQ(job.state, JobState::timed_out);
    EXPECT_TRUE(job.truncated);
    EXPECT_GT(job.output_bytes, limits::job_output_bytes);
}

TEST_F(ScriptRun, ALargeEventThatNobodyReadsHoldsUpNobody) {
    script("blind", "exit 0");
    script("reader", "wc -c");
    start();
    Event large = event("blind");
    large.payload = R"({"text":")" + std::string(limits::event_bytes * 2, 'x') + "\"}";
    EXPECT_EQ(await_end(log_.submit(large)).state, JobState::succeeded);
    large.spark_script = "reader";
    const Job job = await_end(log_.submit(large));
    std::string json;
    large.unique_index = job.unique_index;
    json::append_object(json, large);
    EXPECT_EQ(output_of(job), std::to_string(json.size()) + "\n");
}

TEST_F(ScriptRun, ClosedDescriptorThreeIsSilence) {
    script("closed", "exec 3>&-; echo after");
    start();
    const Job job = await_end(submit("closed"));
    EXPECT_EQ(job.state, JobState::succeeded) << job.reason;
    EXPECT_EQ(job.report_id, static_cast<std::int64_t>(job.id));
    EXPECT_EQ(output_of(job), "after\n");
}

struct BadLine {
    const char* what;
    const char* body;
    const char* word;
};

class BadReport : public Site, public ::testing::WithParamInterface<BadLine> {};

TEST_P(BadReport, FailsTheJob) {
    script("bad", GetParam().body);
    start();
    const auto index = submit("bad");
    const Job job = await_end(index);
    EXPECT_EQ(job.state, JobState::failed);
    EXPECT_EQ(job.exit_status, 0);
    EXPECT_NE(job.reason.find("descriptor 3"), std::string::npos) << job.reason;
    EXPECT_NE(job.reason.find(GetParam().word), std::string::npos) << job.reason;
    EXPECT_TRUE(valid_utf8(job.reason));
    EXPECT_FALSE(report_on(index));
}

INSTANTIATE_TEST_SUITE_P(Lines, BadReport,
                         ::testing::Values(BadLine{"text", "echo hello >&3", "JSON"},
                                           BadLine{"zero", R"(echo '{"spark_report_id":0}' >&3)", "above 0"},
                                           BadLine{"key", R"(echo '{"report":1}' >&3)", "report"},
                                           BadLine{"twoLines",
                                                   R"(echo '{"pending":true}' >&3; echo '{"spark_report_id":1}' >&3)",
                                                   "one line"},
                                           BadLine{"long", "head -c 200000 /dev/zero | tr '\\0' x >&3", "8192"},
                                           BadLine{"binary", R"(printf '\377\376' >&3)", ""}),
                         [](const auto& line) { return line.param.what; });

TEST_F(ScriptRun, TheChildSeesOnlyWhatItShould) {
    script("curious", R"(env | sort > environment; ls /proc/self/fd > descriptors; umask > umask; pwd > pwd
printf %s "$HOME" > home; stat -c %a . > mode
ulimit -c > core; grep -E 'Sig(Blk|Ign)' /proc/self/status > signals; echo $# > arguments; cat /proc/$$/stat > stat)");
    start();
    const auto index = submit("curious");
    const Job job = await_end(index);
    ASSERT_EQ(job.state, JobState::succeeded) << job.reason;
    const fs::path folder = settings_.products / std::to_string(job.id);
    const std::string id = std::to_string(job.id);
    const std::string home = read_file(folder / "home");
    EXPECT_TRUE(home.starts_with((root_.path() / "tmp/tocsin-spark-").string())) << home;
    EXPECT_EQ(read_file(folder / "environment"),
              "HOME=" + home + "\nLANG=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n" +
                  "PWD=" + home + "\nTOCSIN_ATTEMPT=1\nTOCSIN_EVENT_INDEX=" + std::to_string(index) +
                  "\nTOCSIN_EVENT_NAME=test.event\nTOCSIN_EVENT_SCID=7\nTOCSIN_EVENT_SEVERITY=error\n"
                  "TOCSIN_EVENT_SRC=detector\nTOCSIN_EVENT_TIME=2026-01-02T03:00:04.000000Z\nTOCSIN_JOB_ID=" +
                  id + "\nTOCSIN_SCRIPT=curious\nTOCSIN_SOCKET=" + settings_.socket + "\n");
    EXPECT_EQ(read_file(folder / "descriptors"), "0\n1\n2\n3\n4\n") << "4 is ls reading the directory";
    EXPECT_EQ(read_file(folder / "umask"), "0077\n");
    EXPECT_EQ(read_file(folder / "pwd"), home + "\n");
    EXPECT_EQ(read_file(folder / "mode"), "700\n");
    EXPECT_EQ(read_file(folder / "core"), "0\n");
    EXPECT_EQ(read_file(folder / "arguments"), "0\n");
    EXPECT_EQ(read_file(folder / "signals"), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(ScriptRun, OutputCanBeSeenWhileItRuns) {
    script("talks", "echo first; while [ ! -e NOTES/go ]; do :; done; echo last");
    start();
    const auto index = submit("talks");
    const Job job = await(index, JobState::running);
    EXPECT_TRUE(run_until(io_, [this, &job] { return output_of(job) == "first\n"; }));
    EXPECT_NE(job_of(index)->pid, 0U);
    std::ofstream(notes("go")) << "go";
    const Job ended = await_end(index);
    EXPECT_EQ(output_of(ended), "first\nlast\n");
    EXPECT_EQ(ended.pid, 0U);
}

#ifdef __SANITIZE_THREAD__
constexpr bool exec_tells_why = false; // vfork is a fork there, which has no memory in common with the helper
#else
constexpr bool exec_tells_why = true;
#endif

TEST_F(ScriptRun, WhatCannotRunFailsWithItsReason) {
    script("open", "exit 0", 0777);
    script("plain", "exit 0", 0644);
    std::ofstream(root_.path() / "spark.d/lost") << "#!/no/such/interpreter\n";
    std::ofstream(root_.path() / "spark.d/text") << "no interpreter\n";
    for (const char* name : {"lost", "text"}) {
        ::chmod((root_.path() / "spark.d" / name).c_str(), 0755);
    }
    start();
    std::vector<std::pair<std::string, std::string>> wanted{{"open", "written by others"},
                                                            {"plain", "not executable"},
                                                            {"none", "none: is not installed in"},
                                                            {"..", "never a path"}};
    if (exec_tells_why) {
        wanted.insert(wanted.end(), {{"lost", "interpreter"}, {"text", "#!"}});
    }
    for (const auto& [name, word] : wanted) {
        const auto index = submit(name);
        const Job job = await_end(index);
        EXPECT_EQ(job.state, JobState::failed) << name;
        EXPECT_NE(job.reason.find(word), std::string::npos) << name << ": " << job.reason;
        EXPECT_FALSE(job.exit_status) << name;
        EXPECT_EQ(log_.names_caused_by(index).back(), "job.failed") << name;
    }
}

TEST_F(ScriptRun, WhatItLeftIsKeptWithItsFolders) {
    script("maker", "mkdir -p a/b; echo one > a/b/one; echo two > two; chmod 755 two; : > empty");
    start();
    const Job job = await_end(submit("maker"));
    EXPECT_EQ(job.state, JobState::succeeded);
    EXPECT_EQ(job.reason, "");
    const fs::path folder = settings_.products / std::to_string(job.id);
    EXPECT_EQ(read_file(folder / "a/b/one"), "one\n");
    EXPECT_EQ(read_file(folder / "two"), "two\n");
    std::error_code error;
    EXPECT_TRUE(fs::exists(folder / "empty", error));
    EXPECT_FALSE(fs::exists(settings_.products / (std::to_string(job.id) + ".lock"), error)) << "its lock";
    struct stat status{};
    ASSERT_EQ(::stat((folder / "two").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U) << "whatever the script made of it";
}

TEST_F(ScriptRun, WhatIsNoFileIsNotKeptAndSaid) {
    script("odd", "ln -s /etc/passwd link; mkfifo pipe; echo x > file; mkdir d; ln -s / d/root");
    start();
    const Job job = await_end(submit("odd"));
    EXPECT_EQ(job.state, JobState::succeeded);
    EXPECT_NE(job.reason.find("3 of what it left"), std::string::npos) << job.reason;
    const fs::path folder = settings_.products / std::to_string(job.id);
    EXPECT_EQ(read_file(folder / "file"), "x\n");
    std::error_code error;
    EXPECT_EQ(std::distance(fs::directory_iterator(folder, error), {}), 1);
}

TEST_F(ScriptRun, ProductsAreBoundedInAll) {
    script("large", "head -c 600000 /dev/zero > file");
    settings_.products_bytes_max = 1'000'000;
    start();
    EXPECT_EQ(await_end(submit("large")).reason, "");
    const Job job = await_end(submit("large"));
    EXPECT_EQ(job.state, JobState::succeeded);
    EXPECT_NE(job.reason.find("jobs.products_max"), std::string::npos) << job.reason;
    crash_and_start(); // what is there is counted again
    EXPECT_NE(await_end(submit("large")).reason.find("jobs.products_max"), std::string::npos);
}

TEST_F(ScriptRun, ARetryBeginsWithoutProducts) {
    script("again", "echo x > $TOCSIN_ATTEMPT; [ $TOCSIN_ATTEMPT = 2 ]");
    settings_.retries = 1;
    start();
    const Job job = await_end(submit("again"));
    EXPECT_EQ(job.state, JobState::succeeded);
    const fs::path folder = settings_.products / std::to_string(job.id);
    std::error_code error;
    EXPECT_TRUE(fs::exists(folder / "2", error));
    EXPECT_FALSE(fs::exists(folder / "1", error)) << "of the first attempt";
}

TEST_F(ScriptRun, MemoryAndFilesAreLimited) {
    script("hungry", "python3 -I -S -c 'x = bytearray(500_000_000)' 2>/dev/null || exit 9");
    script("writer", "head -c 3000000 /dev/zero > file || exit 8");
    settings_.memory_bytes = 200'000'000;
    settings_.file_bytes = 1'000'000;
    start();
    EXPECT_EQ(await_end(submit("hungry")).exit_status, 9);
    const Job job = await_end(submit("writer"));
    EXPECT_EQ(job.state, JobState::failed);
    EXPECT_EQ(read_file(settings_.products / std::to_string(job.id) / "file").size(), 1'000'000U);
}

TEST_F(ScriptRun, AMissingHelperIsAReason) {
    script("good", "exit 0");
    settings_.helper = root_.path() / "no-helper";
    start();
    const Job job = await_end(submit("good"));
    EXPECT_EQ(job.state, JobState::failed);
    EXPECT_NE(job.reason.find("no-helper"), std::string::npos) << job.reason;
}

} // namespace
} // namespace tocsin::jobs::test
