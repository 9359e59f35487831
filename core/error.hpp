// SPDX-License-Identifier: Apache-2.0
// The one error of the project: what kind it is, what we were doing, to what, and why it failed.
// A Code maps exactly once to a D-Bus error name, an HTTP status and an exit code; faces add nothing of their own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

enum class Code : std::uint8_t {
    invalid_argument,
    invalid_event,
    not_found,
    not_authorized,
    unavailable,
    limit_exceeded,
    storage_full,
    conflict,
};

struct CodeInfo {
    Code code;
    std::string_view name;  // "InvalidEvent": the last part of the D-Bus name and of the problem's type
    std::string_view title; // "Invalid event"
    unsigned http_status;
    int exit_code;
};

// Every code, in the order of the enum.
const std::array<CodeInfo, 8>& all_codes();
const CodeInfo& info(Code code);
std::optional<Code> code_from_name(std::string_view name);

// "org.tocsin.EventManager1.Error.InvalidEvent"
std::string dbus_error_name(Code code);

// One wrong field of one event of a batch; index is 0 for a single event.
struct FieldError {
    std::size_t index = 0;
    std::string field;
    std::string reason;
};

struct Error {
    Code code = Code::unavailable;
    std::string context; // what was being done: "submit", "config"
    std::string object;  // to what: a field, a path, an index; may be empty
    std::string reason;  // why it failed and what to do next
    std::vector<FieldError> fields{};
    std::optional<unsigned> retry_after_s{};
    bool too_large = false; // limit_exceeded by size: HTTP 413 instead of 429

    // "object: reason", what a person reads
    std::string detail() const;
    unsigned http_status() const;
};

template <typename T> using Result = std::expected<T, Error>;

// A callback that receives a result exactly once, on the io thread.
template <typename T> using Done = std::move_only_function<void(Result<T>)>;

std::unexpected<Error> fail(Code code, std::string context, std::string object, std::string reason);

// invalid_event for one field of the event at `index`.
Error field_error(std::string field, std::string reason, std::size_t index = 0);

// A broken invariant: prints the message to stderr and aborts; systemd restarts, the store survives by design.
[[noreturn]] void fatal(std::string_view message);

} // namespace tocsin
