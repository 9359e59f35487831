// SPDX-License-Identifier: Apache-2.0
#include "pictures/histogram.hpp"

#include "core/time.hpp"
#include "pictures/canvas.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace tocsin::pictures {

namespace {

constexpr std::uint64_t steps_most = 5;
constexpr std::size_t date_length = 10;

// The frame of the bars.
constexpr double left = 76;
constexpr double right = width - 20;
constexpr double top = 56;
constexpr double bottom = height - 48;
constexpr double bar_share = 0.72; // of an hour's width

constexpr double title_size = 17;
constexpr double label_size = 13;

constexpr Ink ground{0.985, 0.985, 0.975};
constexpr Ink text{0.13, 0.15, 0.18};
constexpr Ink faint{0.83, 0.84, 0.85};
constexpr Ink bar{0.12, 0.40, 0.68};

std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3; at -= 3) {
        digits.insert(at - 3, ",");
    }
    return digits;
}

double at_hour(double hour) {
    return left + (right - left) * hour / 24;
}

void draw_title(Canvas& canvas, const Histogram& histogram) {
    const std::uint64_t sum = std::accumulate(histogram.counts.begin(), histogram.counts.end(), std::uint64_t{0});
    const std::string rest =
        fmt::format("{}  ·  {} in all", format_time(histogram.day_us).substr(0, date_length), grouped(sum));
    const double rest_width = canvas.width_of(rest, label_size);
    canvas.text({left, 30}, canvas.fit(printable(histogram.event_name), title_size, right - left - rest_width - 24),
                title_size, text);
    canvas.text({right - rest_width, 30}, rest, label_size, text);
}

void draw_counts(Canvas& canvas, const Scale& scale) {
    for (unsigned step = 0; step <= scale.steps; ++step) {
        const double y = bottom - (bottom - top) * step / scale.steps;
        canvas.line({left, y}, {right, y}, step == 0 ? text : faint);
        const std::string label = grouped(scale.step * step);
        canvas.text({left - 8 - canvas.width_of(label, label_size), y + label_size / 3}, label, label_size, text);
    }
    canvas.text({12, top - 16}, "events", label_size, text);
}

void draw_hours(Canvas& canvas) {
    for (int hour = 0; hour <= 24; hour += 3) {
        const double x = at_hour(hour);
        canvas.line({x, bottom}, {x, bottom + 5}, text);
        const std::string label = fmt::format("{:02}:00", hour);
        const double label_width = canvas.width_of(label, label_size);
        canvas.text({std::min(x - label_width / 2, right - label_width), bottom + 20}, label, label_size, text);
    }
    const std::string_view name = "hour of the day, UTC";
    canvas.text({(left + right - canvas.width_of(name, label_size)) / 2, height - 10}, name, label_size, text);
}

} // namespace

Scale scale_of(std::uint64_t most) {
    for (std::uint64_t power = 1;; power *= 10) {
        for (const std::uint64_t factor : {1U, 2U, 5U}) {
            const std::uint64_t step = power * factor;
            if (most / step < steps_most || power >= UINT64_MAX / 100) {
                const std::uint64_t steps = most / step + (most % step != 0 ? 1 : 0);
                return {step, static_cast<unsigned>(std::max<std::uint64_t>(steps, 2))};
            }
        }
    }
}

Result<std::string> draw(const Histogram& histogram, PictureFormat format) {
    Canvas canvas(format, width, height);
    canvas.box({0, 0}, {width, height}, ground);
    const Scale scale = scale_of(*std::ranges::max_element(histogram.counts));
    draw_counts(canvas, scale);
    const double unit = (bottom - top) / (static_cast<double>(scale.step) * scale.steps);
    for (std::size_t hour = 0; hour < histogram.counts.size(); ++hour) {
        if (histogram.counts[hour] != 0) {
            const double begin = at_hour(static_cast<double>(hour) + (1 - bar_share) / 2);
            const double tall = std::max(1.0, static_cast<double>(histogram.counts[hour]) * unit); // never unseen
            canvas.box({begin, bottom - tall}, {begin + (at_hour(1) - at_hour(0)) * bar_share, bottom}, bar);
        }
    }
    draw_hours(canvas);
    draw_title(canvas, histogram);
    return std::move(canvas).finish();
}

} // namespace tocsin::pictures
