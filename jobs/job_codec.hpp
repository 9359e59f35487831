// SPDX-License-Identifier: Apache-2.0
// Rows of Table::jobs. Keys: the big-endian id of a job; "o" + that id for its kept output, which lists need not read;
// one byte 0 for the id that the next job gets, kept so that no id comes twice. Values begin with a version;
// rows of the version before are read.
#pragma once

#include "core/job.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::jobs {

// A job as it is stored.
struct StoredJob {
    Job job{};               // without pid and output
    std::int64_t due_us = 0; // wall time; queued: not before, waiting: until; 0: none
};

std::string job_key(std::uint64_t id);
std::string output_key(std::uint64_t id);
std::string counter_key();
// nullopt for the keys that are not a job's.
std::optional<std::uint64_t> id_of_key(std::string_view key);

std::string encode_job(const StoredJob& stored);
// unavailable when the row is damaged or of a newer version.
Result<StoredJob> decode_job(std::uint64_t id, std::string_view value);

std::string encode_counter(std::uint64_t next_id);
Result<std::uint64_t> decode_counter(std::string_view value);

} // namespace tocsin::jobs
