// SPDX-License-Identifier: Apache-2.0
// Private to core: what stands behind JSON in. Every text is read whole by simdjson's DOM, which validates it to the
// end and dispatches on the processor at run time; trees are then written out minified and checked in the same pass.
#pragma once

#include "core/error.hpp"
#include "core/limits.hpp"
#include "core/scalar.hpp"

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tocsin::json {

using simdjson::dom::element;

// A parser with its buffers. An element lives until the next read() of its document.
class Document {
public:
    simdjson::simdjson_result<element> read(std::string_view text);

private:
    simdjson::error_code reserve(std::size_t bytes);

    std::unique_ptr<simdjson::dom::parser> parser_{};
    std::unique_ptr<char[]> buffer_{};
    std::size_t capacity_ = 0; // of both, without the padding
};

// A document of this thread for the time of one call; calls may nest (a visitor that looks up a path).
class Lease {
public:
    Lease();
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Document& document() { return *document_; }

private:
    std::unique_ptr<Document> document_;
};

// Why a text could not be read, found by a slow second look at it.
struct Fault {
    std::size_t offset = 0;
    std::string reason;
    bool readable = false; // the text is JSON, but a value in it cannot be taken: a number without room, too deep
    std::size_t index = 0; // of the top-level array's element it is in
    std::string field;     // the key of that object it is in; empty: none
};
Fault diagnose(std::string_view text);
// invalid_argument with the reason and its offset.
Error unreadable(const Fault& fault);
Error unreadable(std::string_view text);

// Appends a text that stands for itself between quotes; false, and nothing done, for any other.
bool append_plain_string(std::string& out, std::string_view text);

// The scalar of an element that is no object or array; null for those.
Scalar scalar_of(const element& value);

// Writes trees minified: no key twice, no U+0000, valid UTF-8, at most max_depth containers deep. Keys that match one
// of `redact` are left out with their values.
class TreeWriter {
public:
    TreeWriter(std::string& out, unsigned max_depth, std::span<const std::string> redact = {})
        : out_(out), max_depth_(max_depth), redact_(redact) {}
    // False: problem() says why; what was written is then of no use.
    bool write(const element& value);
    const std::string& problem() const { return problem_; }

private:
    bool write_object(const simdjson::dom::object& object);
    bool write_array(const simdjson::dom::array& array);
    bool write_string(std::string_view text);
    bool refuse(std::string reason);

    std::string& out_;
    unsigned max_depth_;
    std::span<const std::string> redact_;
    unsigned depth_ = 0;
    std::string problem_{};
};

// True where one of the globs matches, in any case.
bool matches_any(std::span<const std::string> globs, std::string_view key);

// A key that an object has twice.
std::optional<std::string_view> repeated_key(const simdjson::dom::object& object);

// Appends an object as a payload: redacted, within the limits. The reason when it may not be one.
std::optional<std::string> append_payload(std::string& out, const element& value, std::span<const std::string> redact);
std::optional<std::string> append_payload(std::string& out, std::string_view text, std::span<const std::string> redact);

// The same for the same members in any order.
std::uint64_t tree_hash(const element& value);

} // namespace tocsin::json
