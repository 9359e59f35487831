// SPDX-License-Identifier: Apache-2.0
#include "cli/upload.hpp"

#include "core/json.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace tocsin::cli {
namespace {

constexpr std::size_t read_bytes = 256 * limits::KiB;
constexpr std::chrono::milliseconds idle{200}; // input that pauses so long is sent as far as it came
constexpr std::chrono::milliseconds progress_every{200};
constexpr unsigned retries_max = 60; // in a row, about a second each
constexpr std::chrono::seconds retry_most{10};

} // namespace

Upload::Upload(Session& session, Interrupts& interrupts, std::string name, ImportLines* import)
    : session_(session),
      interrupts_(interrupts),
      name_(std::move(name)),
      import_(import),
      began_(std::chrono::steady_clock::now()) {}

int Upload::run(int input) {
    LineCutter lines;
    std::vector<char> buffer(read_bytes);
    while (true) {
        const auto woken = interrupts_.wait(input, lines.has_lines() ? std::optional(idle) : std::nullopt);
        if (woken == Interrupts::Woken::stop) {
            return tell_error(stopped());
        }
        const ssize_t got = woken == Interrupts::Woken::input ? ::read(input, buffer.data(), buffer.size()) : -1;
        if (woken == Interrupts::Woken::input && got < 0 && errno != EINTR && errno != EAGAIN) {
            return tell_error(
                {.code = Code::unavailable, .context = "read", .object = name_, .reason = ::strerror(errno)});
        }
        if (got >= 0) {
            if (auto taken = take({buffer.data(), static_cast<std::size_t>(got)}, got == 0, lines); !taken) {
                return tell_error(std::move(taken.error()));
            }
        }
        if (auto sent = send_lines(lines, woken == Interrupts::Woken::time); !sent) {
            return tell_error(std::move(sent.error()));
        }
        if (got == 0) {
            return tell_end();
        }
    }
}

Result<void> Upload::take(std::string_view bytes, bool end, LineCutter& lines) {
    if (import_ == nullptr) {
        lines.feed(bytes);
    } else {
        std::string made;
        auto taken = import_->take(bytes, made);
        taken = taken && end ? import_->finish(made) : taken;
        lines.feed(made);
        if (!taken) {
            lines.finish();
            if (auto sent = send_lines(lines, true); !sent) { // what came before the mistake
                return sent;
            }
            return taken;
        }
    }
    if (end) {
        lines.finish();
    }
    return {};
}

Result<void> Upload::send_lines(LineCutter& lines, bool eager) {
    while (auto chunk = lines.take(eager)) {
        if (auto sent = send(*chunk); !sent) {
            return sent;
        }
    }
    if (lines.stuck()) {
        return fail(
            Code::limit_exceeded, "submit", fmt::format("line {}", lines.next_line() + 1),
            fmt::format("is longer than {} MiB; an event is at most 256 KiB", limits::chunk_bytes / limits::MiB));
    }
    return {};
}

Result<void> Upload::send(const LineChunk& chunk) {
    const Request request{
        .method = "POST", .target = "/v1/events", .body = chunk.body, .content_type = "application/x-ndjson"};
    for (retries_ = 0;; ++retries_) {
        const auto response = session_.client.send(request);
        if (response && response->ok()) {
            const auto receipt = value_of(response);
            if (receipt) {
                take_in(*receipt, chunk);
                return {};
            }
            return std::unexpected(receipt.error());
        }
        Error error = response ? problem_of(*response) : response.error();
        if (!may_try_again(error, response)) {
            return std::unexpected(refused(std::move(error), response, chunk));
        }
        if (auto waited = wait_before_retry(error); !waited) {
            return waited;
        }
    }
}

// Only when it is certain that nothing of the chunk was kept.
bool Upload::may_try_again(const Error& error, const Result<Response>& response) const {
    if (!response) {
        return error.context == context_connect && error.code == Code::unavailable && totals_.lines > 0;
    }
    const bool busy = error.code == Code::unavailable || (error.code == Code::limit_exceeded && !error.too_large);
    return busy && progress_of(*response).accepted == 0;
}

Error Upload::refused(Error error, const Result<Response>& response, const LineChunk& chunk) {
    if (response) {
        totals_.lines += progress_of(*response).accepted;
    } else if (error.context != context_connect) {
        doubtful_ = chunk.lines;
    }
    for (FieldError& field : error.fields) { // counted from the first line of all
        field.index += static_cast<std::size_t>(chunk.first_line);
    }
    return error;
}

Result<void> Upload::wait_before_retry(const Error& error) {
    if (retries_ >= retries_max) {
        return std::unexpected(error);
    }
    if (retries_ == 0) {
        show_progress(true);
        session_.err.line(fmt::format("tocsinctl: submit: the daemon does not take events now ({}); trying again",
                                      error.context == context_connect ? "it is away" : error.reason));
        session_.err.flush();
    }
    const auto time = std::min(std::chrono::seconds(error.retry_after_s.value_or(1)), retry_most);
    if (interrupts_.wait(-1, time) == Interrupts::Woken::stop) {
        return std::unexpected(stopped());
    }
    return {};
}

Error Upload::stopped() const {
    return {.code = Code::unavailable, .context = "submit", .object = {}, .reason = "stopped by a signal"};
}

void Upload::take_in(const Value& receipt, const LineChunk& chunk) {
    totals_.lines += chunk.lines;
    totals_.events += receipt["count"].number();
    totals_.duplicates += receipt["duplicates"].number();
    if (const std::uint64_t first = receipt["first"].number(); first != 0) {
        totals_.first = totals_.first == 0 ? first : std::min(totals_.first, first);
        totals_.last = std::max(totals_.last, receipt["last"].number());
    }
    show_progress(false);
}

void Upload::show_progress(bool end) {
    const auto now = std::chrono::steady_clock::now();
    if (!session_.err.terminal || session_.json() || (!end && now - shown_ < progress_every)) {
        return;
    }
    shown_ = now;
    const double seconds = std::chrono::duration<double>(now - began_).count();
    const double rate = seconds > 0 ? static_cast<double>(totals_.events) / seconds : 0;
    session_.err.write(end ? "\r\x1b[K" : fmt::format("\r{} events, {:.0f}/s\x1b[K", totals_.events, rate));
    session_.err.flush();
}

int Upload::tell_end() {
    show_progress(true);
    if (session_.json()) {
        session_.out.line(fmt::format(R"({{"count":{},"first":{},"last":{},"duplicates":{}}})", totals_.events,
                                      totals_.first, totals_.last, totals_.duplicates));
        return 0;
    }
    std::string text = fmt::format("{} event{} kept", totals_.events, totals_.events == 1 ? "" : "s");
    if (totals_.first != 0) {
        text += fmt::format(", index {} to {}", totals_.first, totals_.last);
    }
    if (totals_.duplicates > 0) {
        text += fmt::format("; {} of them known before by their idempotency keys", totals_.duplicates);
    }
    if (import_ != nullptr && import_->left_out() > 0) {
        text += fmt::format("; {} of a daemon's own left out", import_->left_out());
    }
    session_.out.line(text);
    return 0;
}

int Upload::tell_error(Error error) {
    show_progress(true);
    const int code = exit_code(error);
    if (session_.json()) {
        const Progress progress{totals_.lines, totals_.first, totals_.last};
        session_.err.line(render_json(error, &progress));
        return code;
    }
    if (!error.fields.empty()) { // counted from 1, as editors do
        error.object = fmt::format("line {}", error.fields.front().index + 1);
        error.reason = error.fields.front().field.empty()
                           ? error.fields.front().reason
                           : error.fields.front().field + ": " + error.fields.front().reason;
        error.fields.clear();
    }
    session_.err.write(render(error, import_ == nullptr ? "submit" : "import"));
    if (totals_.lines == 0) {
        session_.err.line("  nothing was kept");
    } else {
        tell_rest();
    }
    if (doubtful_ > 0 && import_ == nullptr) {
        session_.err.line(
            fmt::format("  lines {} to {} were sent but not answered: only those with an idempotency_key can "
                        "be sent again without being kept twice; look first",
                        totals_.lines + 1, totals_.lines + doubtful_));
    }
    return code;
}

void Upload::tell_rest() {
    if (import_ != nullptr) {
        session_.err.line(
            fmt::format("  {} lines were taken ({} events); import all of it again when it is mended: what "
                        "was kept is known by its keys",
                        totals_.lines, totals_.events));
        return;
    }
    session_.err.line(fmt::format("  {} lines were kept ({} events); send again from line {}:", totals_.lines,
                                  totals_.events, totals_.lines + 1));
    session_.err.line(fmt::format("    tail -n +{} {} | {} submit --ndjson", totals_.lines + 1,
                                  name_ == "-" ? "FILE" : name_, session_.command));
}

} // namespace tocsin::cli
