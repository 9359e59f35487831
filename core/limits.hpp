// SPDX-License-Identifier: Apache-2.0
// Every bound that a client or an operator can meet, with a name. Sizes in bytes unless the name says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tocsin::limits {

inline constexpr std::size_t KiB = 1024;
inline constexpr std::size_t MiB = 1024 * KiB;

// One event
inline constexpr std::size_t name_bytes = 255;      // names, ids, sources, environments, scripts, hosts
inline constexpr std::size_t text_bytes = 16 * KiB; // event_rule, description, summary
inline constexpr std::size_t path_bytes = 4 * KiB;  // gem_full_path, report urls
inline constexpr std::size_t key_bytes = 255;       // idempotency_key
inline constexpr std::size_t payload_bytes = 64 * KiB;
inline constexpr unsigned payload_depth = 16;
inline constexpr std::size_t event_bytes = 256 * KiB;
inline constexpr std::uint64_t count_max = 1'000'000'000;
inline constexpr std::int64_t future_us_max = 24LL * 3600 * 1'000'000;
inline constexpr unsigned cause_depth_max = 8;

// One request
inline constexpr std::size_t batch_events = 10'000;
inline constexpr std::size_t batch_bytes = 16 * MiB;
inline constexpr std::size_t chunk_lines = 10'000; // NDJSON over HTTP commits in chunks of at most this
inline constexpr std::size_t chunk_bytes = 8 * MiB;
inline constexpr std::size_t page_default = 100;
inline constexpr std::size_t page_max = 10'000;
inline constexpr std::size_t totals_max = 10'000;  // rows of one answer; more is refused
inline constexpr std::size_t page_bytes = 7 * MiB; // a page ends early; no message over 8 MiB leaves on the bus
inline constexpr std::size_t control_body_bytes = 64 * KiB;
inline constexpr std::size_t errors_listed = 100; // wrong fields that one answer names

// Filters
inline constexpr std::size_t filter_values = 100; // per key
inline constexpr std::size_t filter_text_bytes = 4 * KiB;
inline constexpr std::size_t where_bytes = 8 * KiB;
inline constexpr std::size_t where_nodes = 256;
inline constexpr unsigned where_depth = 32;

// The writer. Of each user alone; all together have twice that, and of what the others leave each may have half.
inline constexpr std::size_t inbox_events = 65'536;
inline constexpr std::size_t inbox_bytes = 64 * MiB;
inline constexpr std::size_t commit_events = 20'000; // one transaction takes at most this from the inbox
inline constexpr std::size_t commit_bytes = 32 * MiB;

// Fair use: binds a user, or a unit of his, only while others want the same. Root and the daemon's owner have no rate.
inline constexpr std::uint64_t user_events_per_s = 20'000; // of one user, while contended
inline constexpr std::uint64_t user_events_burst = 40'000;
inline constexpr std::uint64_t unit_events_per_s = 10'000; // of one systemd unit of his, while contended
inline constexpr std::uint64_t unit_events_burst = 20'000;
inline constexpr std::size_t contended_events = 8'192;    // so many wait for the writer before rates bind
inline constexpr std::int64_t contended_us = 1'000'000;   // who has submitted within this time wants the same
inline constexpr std::size_t rated_users = 256;           // and units: that have a rate of their own at a time
inline constexpr std::size_t chunk_lines_contended = 64;  // of NDJSON, while others wait for their commits
inline constexpr std::size_t chunk_lines_lately = 1'000;  // … may come at any moment
inline constexpr std::int64_t suppressed_us = 60'000'000; // one intake.suppressed of a source in this time
inline constexpr std::size_t suppressed_sources = 64;     // with an event of their own; the others share one

// A backup: what it may cost the running daemon before it is given up
inline constexpr std::int64_t backup_us_max = 3'600LL * 1'000'000;    // from its beginning to its end
inline constexpr std::int64_t backup_stall_us_max = 60LL * 1'000'000; // for the next piece to be taken
inline constexpr std::size_t backup_growth_bytes = 512 * MiB;         // of the store, whose old pages it holds

// Watches and jobs
inline constexpr std::int64_t interval_us_min = 100'000;
inline constexpr std::int64_t interval_us_max = 366LL * 24 * 3600 * 1'000'000;
inline constexpr std::size_t schedule_bytes = 256; // of a schedule's expression
inline constexpr std::size_t watches_max = 200'000;
inline constexpr std::size_t watches_per_uid_max = 100'000;            // made by one user's beats; root has all
inline constexpr std::size_t runs_max = 8;                             // under way at the same time, of one watch
inline constexpr std::int64_t run_us_max = 72LL * 3600 * 1'000'000;    // then start and finish are unrelated
inline constexpr std::int64_t early_us_default = 5LL * 60 * 1'000'000; // a beat counts for a slot this much ahead
inline constexpr std::int64_t early_us_max = 366LL * 24 * 3600 * 1'000'000;
inline constexpr std::size_t status_bytes = 1 * KiB;
inline constexpr std::size_t run_bytes = 128;
inline constexpr std::size_t jobs_queued_max = 20'000;    // queued, running and waiting; [jobs] queue may be below
inline constexpr std::size_t job_joined_max = 255;        // further events whose report one job makes
inline constexpr std::size_t job_output_bytes = 64 * KiB; // kept of each job; the rest is counted and dropped
inline constexpr std::size_t report_line_bytes = 8 * KiB;

} // namespace tocsin::limits
