// SPDX-License-Identifier: Apache-2.0
#include "jobs/secret.hpp"

#include "core/secret.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tocsin::jobs {
namespace {

TEST(CallbackToken, ComesBack) {
    const std::string secret = new_secret();
    const std::string token = callback_token(17, secret);
    const auto read = read_callback_token(token);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->job_id, 17U);
    EXPECT_EQ(read->secret, secret);
    EXPECT_EQ(callback_address("", 17, secret), "/v1/callbacks/" + token);
    EXPECT_EQ(callback_address("https://h:1/x", 17, secret), "https://h:1/x/v1/callbacks/" + token);
}

TEST(CallbackToken, IsNothingElse) {
    const std::string good(64, 'a');
    const std::vector<std::string> wrong{std::string(),
                                         std::string("-"),
                                         "-" + good,
                                         "17" + good,
                                         "17-",
                                         "17-" + good + "a",
                                         "17-" + good.substr(1),
                                         "+1-" + good,
                                         "017-" + good,
                                         "0-" + good,
                                         "x-" + good,
                                         "17 -" + good,
                                         "17-" + std::string(64, 'A'),
                                         "99999999999999999999999-" + good,
                                         "17-" + std::string(63, 'a') + '\0'};
    for (const std::string& text : wrong) {
        EXPECT_FALSE(read_callback_token(text)) << text;
    }
}

} // namespace
} // namespace tocsin::jobs
