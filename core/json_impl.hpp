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

constexpr bool is_blank(char c) {
    return c <= ' ' && (c == ' ' || c == '\t' || c == '\r' || c == '\n');
}

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

// Writes a finite number as JSON keeps it, where there is room for real_bytes; where it ends there.
inline constexpr std::size_t real_bytes = 32;
char* print_real(char* to, double value);

// The scalar of an element that is no object or array; null for those.
Scalar scalar_of(const element& value);

// Keys that are left out of payloads: globs, in any case, with what is known of them before a key is seen.
class Redaction {
public:
    explicit Redaction(std::span<const std::string> globs);
    bool takes(std::string_view key) const { return key.size() >= shortest_ && matches(key); }

private:
    bool matches(std::string_view key) const;

    std::span<const std::string> globs_;
    std::size_t shortest_; // of the keys that can match
};

// Writes trees minified: no key twice, no U+0000, valid UTF-8, at most max_depth containers deep. Keys that `redaction`
// takes are left out with their values.
class TreeWriter {
public:
    TreeWriter(std::string& out, unsigned max_depth, const Redaction& redaction = Redaction({}))
        : out_(out), used_(out.size()), max_depth_(max_depth), redaction_(redaction) {}
    // False: problem() says why; what was written is then of no use.
    bool write(const element& value);
    const std::string& problem() const { return problem_; }

private:
    bool write_value(const element& value);
    bool write_object(const simdjson::dom::object& object);
    bool write_array(const simdjson::dom::array& array);
    bool write_string(std::string_view text);
    bool write_unusual(std::string_view text);
    bool write_key(std::string_view key);
    template <typename T> void write_integer(T value);
    void put(char c);
    // Where the next `bytes` go; written() says where they ended.
    char* room(std::size_t bytes);
    void written(const char* end);
    void grow(std::size_t bytes);
    bool refuse(std::string reason);

    std::string& out_;
    std::size_t used_; // of out_: what is behind it is room
    unsigned max_depth_;
    Redaction redaction_;
    unsigned depth_ = 0;
    std::string problem_{};
};

// One bit of 64: keys with different ones are different.
inline std::uint64_t mark_of(std::string_view key) {
    const std::size_t ends = key.empty() ? 0 : static_cast<std::size_t>(key.front() + 3 * key.back());
    return std::uint64_t{1} << (key.size() + ends) % 64;
}

// A key that an object has twice.
std::optional<std::string_view> repeated_key(const simdjson::dom::object& object);

// Appends an object as a payload: redacted, within the limits. The reason when it may not be one.
std::optional<std::string> append_payload(std::string& out, const element& value, const Redaction& redaction);
std::optional<std::string> append_payload(std::string& out, std::string_view text, const Redaction& redaction);

// The same for the same members in any order.
std::uint64_t tree_hash(const element& value);

} // namespace tocsin::json
