// SPDX-License-Identifier: Apache-2.0
// What became of a call, behind the C type tocsin_result, and how answers of the daemon become one.
#pragma once

#include "lib/tocsin.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::lib {

struct FieldProblem {
    std::size_t event = 0;
    std::string field{};
    std::string reason{};
};

// One answer as it came in.
struct Answer {
    unsigned status = 0;
    std::string body{};
    std::string retry_after{}; // the header
    bool keep = false;         // the connection may be used again
};

} // namespace tocsin::lib

struct tocsin_result {
    int code = TOCSIN_OK;
    std::string message{};
    std::vector<std::uint64_t> indexes{};
    bool duplicate = false;
    int retry_after_ms = -1;
    std::vector<tocsin::lib::FieldProblem> problems{};
};

namespace tocsin::lib {

tocsin_result failure(int code, std::string message);
// invalid_event about one field of the event at `event`.
tocsin_result field_failure(std::string field, std::string reason, std::size_t event = 0);

// A good answer to a call of one event or of a batch has `events` indexes; to a beat none (0).
tocsin_result read_answer(const Answer& answer, std::size_t events);

} // namespace tocsin::lib
