// SPDX-License-Identifier: Apache-2.0
// A filter against columns: what can be decided without the whole event. The rest (text, where, has_report) is left to
// Filter::matches on the event itself; `needs_event` says whether there is a rest.
#pragma once

#include "core/filter.hpp"
#include "storage/columns.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tocsin::storage {

class Matcher {
public:
    explicit Matcher(const Filter& filter);

    bool needs_event() const { return needs_event_; }

    // What was decided about the strings of one table of codes.
    class Memo {
    public:
        void reset() {
            for (auto& column : decided_) {
                column.clear();
            }
        }

    private:
        friend class Matcher;
        std::array<std::vector<std::uint8_t>, 5> decided_{};
    };

    // `string(code)` gives the text of a code.
    template <typename String> bool row(const Columns& c, std::size_t at, Memo& memo, const String& string) const {
        return numbers(c, at) && text(Field::name, c.name[at], memo, string) &&
               text(Field::source, c.source[at], memo, string) &&
               text(Field::environment, c.environment[at], memo, string) &&
               text(Field::event_id, c.event_id[at], memo, string) && text(Field::host, c.host[at], memo, string);
    }

    // False where no row can match that has only these strings; [0] is the empty one.
    bool possible(const std::vector<std::string_view>& strings) const;

private:
    enum class Field : std::size_t { name, source, environment, event_id, host };
    static constexpr std::array<Field, 5> fields = {Field::name, Field::source, Field::environment, Field::event_id,
                                                    Field::host};

    bool numbers(const Columns& c, std::size_t at) const;
    bool asks(Field field) const { return asks_[static_cast<std::size_t>(field)]; }
    bool holds(Field field, std::string_view value) const;

    template <typename String> bool text(Field field, std::uint32_t code, Memo& memo, const String& string) const {
        if (!asks(field)) {
            return true;
        }
        auto& decided = memo.decided_[static_cast<std::size_t>(field)];
        if (code >= decided.size()) {
            decided.resize(code + 64, 0);
        }
        if (decided[code] == 0) {
            decided[code] = holds(field, string(code)) ? 1 : 2;
        }
        return decided[code] == 1;
    }

    const Filter& filter_;
    std::array<bool, 5> asks_{};
    std::array<bool, 4> severity_{};
    std::array<bool, 2> type_{};
    bool needs_event_;
};

} // namespace tocsin::storage
