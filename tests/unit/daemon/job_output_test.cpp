// SPDX-License-Identifier: Apache-2.0
#include "fakes.hpp"

#include "daemon/job_output.hpp"

#include <gtest/gtest.h>

namespace tocsin::daemon {
namespace {

class JobOutputTest : public ::testing::Test {
protected:
    void add(std::string_view output) {
        output_.add({.id = 5, .unique_index = 17, .script = "report", .attempt = 2}, output);
    }
    static std::string lines(std::size_t count) {
        std::string text;
        for (std::size_t i = 0; i < count; ++i) {
            text += "x\n";
        }
        return text;
    }

    FakeClock clock_{};
    std::vector<std::string> written_{};
    JobOutput::Fields fields_{};
    JobOutput output_{clock_, [this](std::string_view line, const JobOutput::Fields& fields) {
                          written_.emplace_back(line);
                          fields_ = fields;
                      }};
};

TEST_F(JobOutputTest, ALineEachWithTheFieldsOfTheJob) {
    add("one\n\nlast");
    EXPECT_EQ(written_, (std::vector<std::string>{"job 5 (report for event 17): one", "job 5 (report for event 17): ",
                                                  "job 5 (report for event 17): last"}));
    EXPECT_EQ(
        fields_,
        (JobOutput::Fields{
            {"TOCSIN_JOB", "5"}, {"TOCSIN_SCRIPT", "report"}, {"TOCSIN_EVENT_INDEX", "17"}, {"TOCSIN_ATTEMPT", "2"}}));
    add("");
    EXPECT_EQ(written_.size(), 3U);
}

TEST_F(JobOutputTest, OneRunIsBounded) {
    add(lines(JobOutput::run_lines_max));
    EXPECT_EQ(written_.size(), JobOutput::run_lines_max);
    written_.clear();
    add(lines(JobOutput::run_lines_max + 23));
    ASSERT_EQ(written_.size(), JobOutput::run_lines_max + 1);
    EXPECT_EQ(written_.back(),
              "job 5 (report for event 17): 23 more lines are not shown here; see: tocsinctl jobs output 5");
}

TEST_F(JobOutputTest, AllRunsTogetherAreBoundedInAWhile) {
    for (int i = 0; i < 50; ++i) {
        add(lines(90));
    }
    EXPECT_LE(written_.size(), JobOutput::span_lines_max + 1);
    EXPECT_GE(written_.size(), JobOutput::span_lines_max);
    written_.clear();
    clock_.pass(JobOutput::span_us);
    add("later\n");
    EXPECT_EQ(written_.size(), 1U);
}

} // namespace
} // namespace tocsin::daemon
