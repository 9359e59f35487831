// SPDX-License-Identifier: Apache-2.0
// JSON in (simdjson, hidden in the .cpp) and out (appended to a string by hand: the fast way). Numbers that fit no
// 64-bit integer or are not finite, U+0000 and invalid UTF-8 are refused.
#pragma once

#include "core/error.hpp"
#include "core/event.hpp"
#include "core/scalar.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::json {

// ---- out ----
void append_string(std::string& out, std::string_view text); // with quotes; what is no UTF-8 becomes U+FFFD
void append_scalar(std::string& out, const Scalar& value);   // NaN, infinity become null: refuse them on the way in
// Appends `"key":value` members; writes the braces and commas.
class ObjectWriter {
public:
    explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
    ObjectWriter(const ObjectWriter&) = delete;
    ObjectWriter& operator=(const ObjectWriter&) = delete;
    void add(std::string_view key, const Scalar& value);
    FieldSink sink(); // valid as long as this writer
    void close() { out_ += '}'; }

private:
    std::string& out_;
    bool first_ = true;
};
// One object from anything that has describe(object, FieldSink).
template <typename T> void append_object(std::string& out, const T& object) {
    ObjectWriter writer(out);
    describe(object, writer.sink());
    writer.close();
}

// ---- in ----
// Parsers keep their buffers; make one per thread or connection and reuse it.
class Parser {
public:
    Parser();
    ~Parser();
    Parser(const Parser&) = delete;
    Parser& operator=(const Parser&) = delete;

    // The members of one flat object, in order; nested values arrive as minified RawJson.
    // invalid_argument for unreadable JSON or anything but an object.
    Result<void> object(std::string_view text, const FieldSink& sink);

    // An event object, or an array of them (not empty; all or nothing: the error lists every bad event with its index).
    Result<std::vector<Event>> events(std::string_view text, const IntakeRules& rules, std::int64_t now_us,
                                      bool* was_array = nullptr);
    // One line's event behind the others, or nothing; `index` is for its errors.
    Result<void> append(std::vector<Event>& events, std::string_view line, const IntakeRules& rules,
                        std::int64_t now_us, std::size_t index = 0);
    // A batch, all or nothing; empty lines do not count.
    Result<std::vector<Event>> ndjson(std::string_view text, const IntakeRules& rules, std::int64_t now_us);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// Walks any JSON value, depth first. For RawJson → D-Bus and payload paths.
class Visitor {
public:
    virtual ~Visitor() = default;
    virtual void begin_object() = 0;
    virtual void key(std::string_view name) = 0;
    virtual void end_object() = 0;
    virtual void begin_array() = 0;
    virtual void end_array() = 0;
    virtual void scalar(const Scalar& value) = 0; // never RawJson
};
Result<void> walk(std::string_view text, Visitor& visitor);

// The value at a dotted path of a payload ("rhost", "user.name", "items.0"): nullopt where there is none. Strings are
// given to `use` unescaped and live only during the call.
bool with_path(std::string_view json, std::span<const std::string> path, const std::function<void(const Scalar&)>& use);

// True where a payload's key or any scalar value in it contains `needle` (case-sensitive bytes).
bool contains_text(std::string_view payload, std::string_view needle);

// Minified copy; invalid_argument when it is not one JSON value of depth ≤ max_depth.
Result<std::string> minify(std::string_view text, unsigned max_depth = limits::payload_depth);

} // namespace tocsin::json
