// SPDX-License-Identifier: Apache-2.0
// Reads one HTTP/1.1 answer out of the pieces that come in. The parser is Beast's, hidden in the .cpp: headers alone,
// so that a program which links the library needs nothing of Boost.
#pragma once

#include "lib/result.hpp"

#include <memory>
#include <string_view>

namespace tocsin::lib {

class Reader {
public:
    enum class State : unsigned char { more, done, bad };

    Reader();
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    State take(std::string_view piece);
    // The answer, once it is done. What came behind it was not asked for: the connection is then not kept.
    Answer answer();

private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
};

} // namespace tocsin::lib
