// SPDX-License-Identifier: Apache-2.0
#include "pictures/histogram.hpp"

#include <gmock/gmock.h>

#include <cstdio>

#include <jpeglib.h>

namespace tocsin::pictures {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::uint32_t number_at(const std::string& bytes, std::size_t at) {
    std::uint32_t out = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        out = out << 8U | static_cast<unsigned char>(bytes[at + i]);
    }
    return out;
}

Histogram some() {
    Histogram out{.event_name = "sshd.login_failed", .day_us = 1'767'312'000'000'000, .counts = {}};
    for (std::size_t hour = 0; hour < out.counts.size(); ++hour) {
        out.counts[hour] = hour * hour;
    }
    return out;
}

TEST(ScaleOf, HoldsTheMostInAFewRoundSteps) {
    for (const std::uint64_t most : std::initializer_list<std::uint64_t>{
             0, 1, 2, 7, 10, 99, 100, 101, 4'999, 5'001, 123'456'789, 1'000'000'000'000'000'000, UINT64_MAX}) {
        const Scale scale = scale_of(most);
        EXPECT_GE(static_cast<long double>(scale.step) * scale.steps, static_cast<long double>(most)) << most;
        EXPECT_GE(scale.steps, 2U) << most;
        EXPECT_LE(scale.steps, most < 1'000'000'000'000'000'000 ? 6U : 200U) << most;
    }
    EXPECT_EQ(scale_of(0).step, 1U);
    EXPECT_EQ(scale_of(23).step, 5U);
}

TEST(Draw, APngOfTheSizeThatIsSaid) {
    const auto picture = draw(some(), PictureFormat::png);
    ASSERT_TRUE(picture) << picture.error().detail();
    EXPECT_THAT(*picture, StartsWith("\x89PNG\r\n\x1a\n"));
    EXPECT_EQ(number_at(*picture, 16), 800U);
    EXPECT_EQ(number_at(*picture, 20), 400U);
    Histogram other = some();
    other.counts[3] += 400;
    EXPECT_NE(*draw(other, PictureFormat::png), *picture);
    EXPECT_EQ(*draw(some(), PictureFormat::png), *picture);
}

TEST(Draw, AnSvgOfTheSizeThatIsSaid) {
    const auto picture = draw(some(), PictureFormat::svg);
    ASSERT_TRUE(picture) << picture.error().detail();
    EXPECT_THAT(*picture, HasSubstr("<svg"));
    EXPECT_THAT(*picture, HasSubstr("viewBox=\"0 0 800 400\""));
    EXPECT_THAT(*picture, HasSubstr("</svg>"));
}

struct Decoded {
    unsigned width = 0;
    unsigned height = 0;
    std::vector<unsigned char> samples{};

    std::array<int, 3> at(unsigned x, unsigned y) const {
        const std::size_t place = (std::size_t{y} * width + x) * 3;
        return {samples[place], samples[place + 1], samples[place + 2]};
    }
};

Decoded decoded(const std::string& bytes) {
    jpeg_decompress_struct info{};
    jpeg_error_mgr errors{};
    info.err = jpeg_std_error(&errors); // which ends the test where it cannot read
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    jpeg_read_header(&info, TRUE);
    jpeg_start_decompress(&info);
    Decoded out{info.output_width, info.output_height,
                std::vector<unsigned char>(std::size_t{info.output_width} * info.output_height * 3)};
    while (info.output_scanline < info.output_height) {
        unsigned char* line = out.samples.data() + std::size_t{info.output_scanline} * info.output_width * 3;
        jpeg_read_scanlines(&info, &line, 1);
    }
    jpeg_finish_decompress(&info);
    jpeg_destroy_decompress(&info);
    return out;
}

TEST(Draw, AJpegThatAnotherReaderReads) {
    const auto picture = draw(some(), PictureFormat::jpeg);
    ASSERT_TRUE(picture) << picture.error().detail();
    EXPECT_THAT(*picture, StartsWith("\xff\xd8\xff"));
    const Decoded seen = decoded(*picture);
    EXPECT_EQ(seen.width, 800U);
    EXPECT_EQ(seen.height, 400U);
    const auto [red, green, blue] = seen.at(765, 345); // inside the tallest bar, of the last hour
    EXPECT_NEAR(red, 31, 12);
    EXPECT_NEAR(green, 102, 12);
    EXPECT_NEAR(blue, 173, 12);
    const auto ground = seen.at(100, 300);
    EXPECT_GT(*std::ranges::min_element(ground), 235) << "no bar in the first hours";
}

TEST(Draw, WhateverANameHolds) {
    for (const std::string& name :
         {std::string(255, 'W'), std::string("a\x01\n\tb"), std::string("\xff\xfe"), std::string("<b>&amp;"),
          std::string(), std::string("h\xc3\xa9llo \xe2\x80\xae right to left \xf0\x9f\x94\x94"),
          std::string(1, '\0') + "x"}) {
        Histogram day = some();
        day.event_name = name;
        for (const PictureFormat format : {PictureFormat::png, PictureFormat::svg, PictureFormat::jpeg}) {
            const auto picture = draw(day, format);
            ASSERT_TRUE(picture) << picture.error().detail();
            EXPECT_GT(picture->size(), 1'000U);
        }
    }
}

TEST(Draw, AnEmptyDayAndAHugeOne) {
    Histogram day = some();
    day.counts = {};
    EXPECT_TRUE(draw(day, PictureFormat::png));
    day.counts.fill(UINT64_MAX / 25);
    EXPECT_TRUE(draw(day, PictureFormat::svg));
}

} // namespace
} // namespace tocsin::pictures
