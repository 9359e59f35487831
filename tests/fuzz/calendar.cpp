// SPDX-License-Identifier: Apache-2.0
// Schedules by cron and calendar expressions, in a zone: slots rise, and the last until a slot is that slot.
#include "core/schedule.hpp"
#include "fuzz.hpp"

#include <array>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static constexpr std::array<std::string_view, 4> zones = {"", "Europe/Berlin", "Australia/Lord_Howe",
                                                              "America/St_Johns"};
    tocsin::fuzz::Bytes bytes(data, size);
    const std::string_view zone = zones[bytes.below(zones.size())];
    std::int64_t at = static_cast<std::int64_t>(bytes.number<std::uint32_t>()) * 1'000'000;
    const auto schedule = tocsin::Schedule::parse(bytes.rest(), zone);
    if (!schedule) {
        return 0;
    }
    for (int i = 0; i < 3; ++i) {
        const auto next = (*schedule)->next_after(at);
        if (!next) {
            break;
        }
        tocsin::fuzz::expect(*next > at, "the next slot is later");
        const auto last = (*schedule)->last_until(*next);
        tocsin::fuzz::expect(last && *last == *next, "the last slot until a slot is that slot");
        at = *next;
    }
    return 0;
}
