// SPDX-License-Identifier: Apache-2.0
// What the other tests give as standard input: an unlinked file behaves like a pipe whose writer is done, without its
// limit.
#include "tests/unit/cli/fake.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <unistd.h>

namespace tocsin::cli::test {

Input::Input(std::string_view text) {
    std::string path = "/tmp/tocsinctl-input-XXXXXX";
    fd_ = ::mkstemp(path.data());
    ::unlink(path.c_str());
    while (!text.empty()) {
        const ssize_t written = ::write(fd_, text.data(), text.size());
        if (written <= 0) {
            break;
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    ::lseek(fd_, 0, SEEK_SET);
}

Input::~Input() {
    ::close(fd_);
}

TEST(Input, GivesWhatItHolds) {
    const Input input("abc");
    char buffer[8];
    EXPECT_EQ(::read(input.fd(), buffer, sizeof buffer), 3);
    EXPECT_EQ(::read(input.fd(), buffer, sizeof buffer), 0);
}

} // namespace tocsin::cli::test
