// SPDX-License-Identifier: Apache-2.0
#include "core/event_fields.hpp"

#include "core/event.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace tocsin {
namespace {

TEST(EventField, EveryNameIsFound) {
    ASSERT_EQ(event_field_names().size(), field_count);
    for (std::size_t i = 0; i < field_count; ++i) {
        const std::string name(event_field_names()[i]); // with nothing behind it
        EXPECT_EQ(field_of(name), static_cast<EventField>(i)) << name;
        EXPECT_EQ(name_of(static_cast<EventField>(i)), name);
    }
}

TEST(EventField, NothingElseIs) {
    for (const std::string_view name : event_field_names()) {
        for (std::size_t place = 0; place < name.size(); ++place) {
            for (unsigned byte = 0; byte <= 0xFF; ++byte) {
                std::string other(name);
                other[place] = static_cast<char>(byte);
                ASSERT_EQ(field_of(other).has_value(), other == name) << other; // no two differ in one byte
            }
            const auto beginning = name.substr(0, place);
            EXPECT_EQ(field_of(beginning).has_value(), std::ranges::count(event_field_names(), beginning) == 1)
                << beginning;
        }
        EXPECT_FALSE(field_of(std::string(name) + "x")) << name;
        EXPECT_FALSE(field_of("x" + std::string(name))) << name;
    }
    EXPECT_FALSE(field_of(""));
    EXPECT_FALSE(field_of(std::string_view("\0\0\0\0", 4)));
    EXPECT_FALSE(field_of(std::string(300, 'e')));
}

} // namespace
} // namespace tocsin
