// SPDX-License-Identifier: Apache-2.0
#include "jobs/secret.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace tocsin::jobs {
namespace {

TEST(Secret, IsLongAndNeverTwice) {
    std::set<std::string> seen;
    for (int i = 0; i < 1'000; ++i) {
        const std::string secret = new_secret();
        EXPECT_EQ(secret.size(), 64U) << "256 bits";
        EXPECT_TRUE(seen.insert(secret).second);
    }
}

TEST(Secret, TokensComeBack) {
    const std::string secret = new_secret();
    const std::string token = callback_token(17, secret);
    const auto read = read_callback_token(token);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->job_id, 17U);
    EXPECT_EQ(read->secret, secret);
    EXPECT_EQ(callback_address("", 17, secret), "/v1/callbacks/" + token);
    EXPECT_EQ(callback_address("https://h:1/x", 17, secret), "https://h:1/x/v1/callbacks/" + token);
}

TEST(Secret, NothingElseIsAToken) {
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

TEST(Secret, OnlyTheWholeOneIsTheSame) {
    const std::string secret = new_secret();
    EXPECT_TRUE(same_secret(secret, std::string(secret)));
    for (std::size_t i = 0; i < secret.size(); ++i) {
        std::string other = secret;
        other[i] = other[i] == 'a' ? 'b' : 'a';
        EXPECT_FALSE(same_secret(secret, other)) << i;
    }
    EXPECT_FALSE(same_secret("", "")) << "a job without one has none to guess";
    EXPECT_FALSE(same_secret(secret, ""));
    EXPECT_FALSE(same_secret(secret, secret.substr(1)));
}

} // namespace
} // namespace tocsin::jobs
