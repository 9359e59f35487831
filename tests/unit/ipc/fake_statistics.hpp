// SPDX-License-Identifier: Apache-2.0
// Statistics that say what they were asked, and answer at once with what a test put there.
#pragma once

#include "core/ports.hpp"

#include <optional>
#include <utility>

namespace tocsin::ipc::testing {

class FakeStatistics final : public StatisticsReader {
public:
    void totals(Filter filter, std::vector<GroupKey> by, Done<Totals> done) override {
        asked = std::move(filter);
        grouped = std::move(by);
        refusal ? done(std::unexpected(*refusal)) : done(all);
    }
    void hourly(Filter filter, std::size_t limit, std::string cursor, Done<HourPage> done) override {
        asked = std::move(filter);
        last_limit = limit;
        last_cursor = std::move(cursor);
        refusal ? done(std::unexpected(*refusal)) : done(hours);
    }
    void histogram(std::string event_name, std::int64_t day_us, Done<DayCounts> done) override {
        name = std::move(event_name);
        day = day_us;
        refusal ? done(std::unexpected(*refusal)) : done(counts);
    }

    std::optional<Error> refusal{};
    Filter asked{};
    std::vector<GroupKey> grouped{};
    Totals all{};
    HourPage hours{};
    DayCounts counts{};
    std::size_t last_limit = 0;
    std::string last_cursor{};
    std::string name{};
    std::int64_t day = 0;
};

class FakePictures final : public Pictures {
public:
    void histogram(std::string event_name, std::int64_t day_us, const DayCounts& counts, PictureFormat format,
                   Done<std::string> done) override {
        name = std::move(event_name);
        day = day_us;
        drawn = counts;
        done(format == PictureFormat::png   ? "a png"
             : format == PictureFormat::svg ? "<?xml version=\"1.0\"?>\n<svg>an svg</svg>"
                                            : "a jpeg");
    }
    std::string name{};
    std::int64_t day = 0;
    DayCounts drawn{};
};

} // namespace tocsin::ipc::testing
