// SPDX-License-Identifier: Apache-2.0
// Private to core: events as nearly all senders write them, read in one pass and without a tree: known fields, in their
// payload no key twice and none that is unusual or to redact, and no escapes but those that a payload is kept with. Of
// any other text nothing is said here, not even whether it is JSON: that is the tree's, which knows reasons.
#pragma once

#include "core/event.hpp"
#include "core/json_impl.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::json {

class PlainReader {
public:
    // True when the text is such an event and its members are set, or refused by the builder. Otherwise builder and
    // event are of no more use.
    bool read(std::string_view text, EventBuilder& builder, const Redaction& redaction);

private:
    bool event(std::string_view text, EventBuilder& builder);
    // Each is given where something begins and says where it ended; null: it is not plain.
    const char* member(const char* at, EventBuilder& builder);
    const char* text(const char* at, EventField field, EventBuilder& builder);
    const char* payload(const char* at, EventBuilder& builder);
    const char* value(const char* at, unsigned depth);
    const char* object(const char* at, unsigned depth);
    const char* array(const char* at, unsigned depth);
    const char* key(const char* at, std::size_t first_key, std::uint64_t& marks);
    const char* literal(const char* at, std::string_view text) const;
    const char* number(const char* at);
    const char* exponent(const char* at) const;
    const char* real(const char* at, const char* end);
    const char* integer(const char* at, std::int64_t& value) const;
    const char* string(const char* at, std::string_view& text) const;       // valid UTF-8, as it was written
    const char* usual_string(const char* at, std::string_view& text) const; // printable ASCII without escapes
    std::string_view unescaped(std::string_view text);

    bool is(const char* at, char c) const { return at != end_ && *at == c; }
    std::string_view digits(const char* at) const;
    const char* past_blanks(const char* at) const;
    // Of a payload, which is kept without them.
    const char* drop_blanks(const char* at);

    static constexpr std::size_t keys_kept = 64; // of the objects that are open

    const char* end_ = nullptr;
    const Redaction* redaction_ = nullptr;
    const char* uncopied_ = nullptr; // where the rest of the payload begins
    std::string payload_{};          // what is before it, where it is not as it was written
    std::string unescaped_{};
    std::array<std::string_view, keys_kept> keys_{};
    std::size_t key_count_ = 0;
    // Events of one sender are alike: where some in a row were not plain, the next ones are not tried.
    unsigned in_vain_ = 0;
    unsigned left_out_ = 0;
};

} // namespace tocsin::json
