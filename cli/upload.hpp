// SPDX-License-Identifier: Apache-2.0
// Sends NDJSON (or what is made of it: see ImportLines) chunk by chunk: counts what is durable, waits while the daemon
// is busy or restarting, and says at the end, or when it has to stop, how many lines were kept and from which line to
// send again.
#pragma once

#include "cli/import_lines.hpp"
#include "cli/interrupts.hpp"
#include "cli/ndjson.hpp"
#include "cli/session.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace tocsin::cli {

struct UploadTotals {
    std::uint64_t lines = 0; // kept, blank ones too
    std::uint64_t events = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t first = 0; // 0: none
    std::uint64_t last = 0;
};

class Upload {
public:
    // With `import` the input is an export.
    Upload(Session& session, Interrupts& interrupts, std::string name, ImportLines* import = nullptr);

    // Reads `input` to its end. 0, or the exit code of what was told.
    int run(int input);
    const UploadTotals& totals() const { return totals_; }

private:
    Result<void> take(std::string_view bytes, bool end, LineCutter& lines);
    Result<void> send_lines(LineCutter& lines, bool eager);
    Result<void> send(const LineChunk& chunk);
    bool may_try_again(const Error& error, const Result<Response>& response) const;
    Error refused(Error error, const Result<Response>& response, const LineChunk& chunk);
    Result<void> wait_before_retry(const Error& error);
    Error stopped() const;
    void take_in(const Value& receipt, const LineChunk& chunk);
    void show_progress(bool end);
    int tell_end();
    int tell_error(Error error);
    void tell_rest();

    Session& session_;
    Interrupts& interrupts_;
    std::string name_; // of the file; "-" for standard input
    ImportLines* import_;
    UploadTotals totals_{};
    unsigned retries_ = 0;
    std::uint64_t doubtful_ = 0; // lines sent without an answer
    std::chrono::steady_clock::time_point began_;
    std::chrono::steady_clock::time_point shown_{};
};

} // namespace tocsin::cli
