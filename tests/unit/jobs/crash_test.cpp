// SPDX-License-Identifier: Apache-2.0
// The service dies at random moments while jobs of every kind run: each event has one job with a true end, and nobody
// is left.
#include "site.hpp"

#include "jobs/job_codec.hpp"

#include <map>
#include <random>

namespace tocsin::jobs::test {
namespace {

class Crash : public Site, public ::testing::WithParamInterface<unsigned> {
protected:
    void SetUp() override {
        script("quick", "echo '{\"spark_report_id\": 7}' >&3");
        script("fails", "exit 1");
        script("children", "for i in 1 2 3; do (trap '' TERM; while :; do :; done) & done; echo x > left");
        script("slow", "trap '' TERM; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done");
        script("later", R"(echo '{"pending": true}' >&3)");
        settings_.kill_after_us = 20'000;
        settings_.parallel = 3;
    }
    bool settled(const std::vector<std::uint64_t>& indexes) {
        std::size_t done = 0;
        for (const auto& [key, value] : log_.rows(Table::jobs)) {
            if (const auto id = id_of_key(key)) {
                const auto state = decode_job(*id, value)->job.state;
                done += is_final(state) || state == JobState::waiting ? 1U : 0U;
            }
        }
        return done == indexes.size();
    }
};

TEST_P(Crash, NothingIsLostOrLeft) {
    std::mt19937 random(GetParam());
    const std::vector<std::pair<std::string, JobState>> kinds{{"quick", JobState::succeeded},
                                                              {"fails", JobState::failed},
                                                              {"children", JobState::succeeded},
                                                              {"slow", JobState::succeeded},
                                                              {"later", JobState::waiting}};
    std::vector<std::uint64_t> indexes;
    std::map<std::uint64_t, std::string> scripts;
    start();
    for (int round = 0; round < 12; ++round) {
        for (int i = 0; i < 4; ++i) {
            const auto& kind = kinds[random() % kinds.size()];
            indexes.push_back(submit(kind.first));
            scripts[indexes.back()] = kind.first;
        }
        const std::size_t steps = random() % 60;
        io_.restart();
        for (std::size_t i = 0; i < steps; ++i) {
            io_.run_one_for(std::chrono::milliseconds(2));
        }
        crash_and_start();
    }
    ASSERT_TRUE(run_until(io_, [this, &indexes] { return settled(indexes); }));
    std::map<std::uint64_t, int> jobs_of_event;
    for (const auto& [key, value] : log_.rows(Table::jobs)) {
        const auto id = id_of_key(key);
        if (!id) {
            continue;
        }
        const Job job = decode_job(*id, value)->job;
        ++jobs_of_event[job.unique_index];
        const auto kind = std::ranges::find(kinds, job.script, &std::pair<std::string, JobState>::first);
        const bool given_up = job.reason == "the daemon stopped during the run"; // after five
        EXPECT_TRUE(job.state == kind->second || given_up)
            << job.script << ": " << to_string(job.state) << " " << job.reason;
        EXPECT_EQ(report_on(job.unique_index).has_value(), job.state == JobState::succeeded);
    }
    EXPECT_EQ(jobs_of_event.size(), indexes.size());
    EXPECT_TRUE(std::ranges::all_of(jobs_of_event, [](const auto& entry) { return entry.second == 1; }));
    EXPECT_TRUE(processes_with(marker()).empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, Crash, ::testing::Values(1U, 2U, 3U));

} // namespace
} // namespace tocsin::jobs::test
