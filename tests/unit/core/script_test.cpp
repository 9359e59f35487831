// SPDX-License-Identifier: Apache-2.0
#include "core/script.hpp"

#include "core/json.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

template <typename T> std::string json_of(const T& object) {
    std::string text;
    json::append_object(text, object);
    return text;
}

TEST(Script, IsReadyWhereNothingIsWrong) {
    ScriptReport report{.script = "a", .path = "/s/a", .findings = {{false, "a hint"}}};
    EXPECT_TRUE(report.ready());
    EXPECT_EQ(json_of(report), R"({"script":"a","path":"/s/a","ready":true,"problems":[],"hints":["a hint"]})");
    report.findings.push_back({true, "is \"bad\""});
    report.findings.push_back({true, "twice"});
    report.path.clear();
    EXPECT_FALSE(report.ready());
    EXPECT_EQ(json_of(report), R"({"script":"a","ready":false,"problems":["is \"bad\"","twice"],"hints":["a hint"]})");
}

TEST(Script, LimitsAndPreviewAreDescribed) {
    const ScriptReport report{
        .script = "a", .path = "/s/a", .plan = ScriptPlan{.timeout_us = 1'500'000, .retries = 2, .parallel = 3}};
    const std::string limits = R"("submit":true,"rerun":true,"callback":false,"coalesce":false,)"
                               R"("timeout_s":1.5,"kill_after_s":0.0,"retries":2,"parallel":3)";
    EXPECT_NE(json_of(report).find(limits), std::string::npos) << json_of(report);
    const JobPreview preview{
        .unique_index = 7, .script = report, .environment = {{"A", "b\"c"}}, .event_json = R"({"scid":1})"};
    const std::string text = json_of(preview);
    EXPECT_TRUE(text.starts_with(R"({"unique_index":7,"script":"a",)")) << text;
    EXPECT_TRUE(text.ends_with(R"("environment":{"A":"b\"c"},"event":{"scid":1}})")) << text;
}

} // namespace
} // namespace tocsin
