// SPDX-License-Identifier: Apache-2.0
#include "pictures/jpeg.hpp"

#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include <jpeglib.h>

namespace tocsin::pictures {

namespace {

constexpr int quality = 90;
constexpr std::size_t samples = 3; // red, green, blue
constexpr std::size_t pixel_bytes = sizeof(std::uint32_t);

// The library leaves by longjmp where it cannot go on; nothing with a destructor may be made between.
struct Trap {
    jpeg_error_mgr base{};
    std::jmp_buf back{};
    std::array<char, JMSG_LENGTH_MAX> text{};
};

[[noreturn]] void give_up(j_common_ptr info) {
    auto* const trap = reinterpret_cast<Trap*>(info->err);
    trap->base.format_message(info, trap->text.data());
    std::longjmp(trap->back, 1);
}

void to_samples(const unsigned char* row, std::vector<JSAMPLE>& into) {
    for (std::size_t column = 0; column < into.size() / samples; ++column) {
        std::uint32_t pixel = 0;
        std::memcpy(&pixel, row + column * pixel_bytes, pixel_bytes);
        into[column * samples] = static_cast<JSAMPLE>(pixel >> 16U);
        into[column * samples + 1] = static_cast<JSAMPLE>(pixel >> 8U);
        into[column * samples + 2] = static_cast<JSAMPLE>(pixel);
    }
}

struct Target {
    unsigned char* bytes = nullptr; // the library's, by malloc
    unsigned long size = 0;
};

// False where it failed; trap.text says why.
bool compress(jpeg_compress_struct& info, Trap& trap, const Pixels& pixels, std::vector<JSAMPLE>& row, Target& target) {
    if (setjmp(trap.back) != 0) {
        return false;
    }
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &target.bytes, &target.size);
    info.image_width = static_cast<JDIMENSION>(pixels.columns);
    info.image_height = static_cast<JDIMENSION>(pixels.rows);
    info.input_components = static_cast<int>(samples);
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, quality, TRUE);
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height) {
        to_samples(pixels.data + info.next_scanline * pixels.stride, row);
        JSAMPROW line = row.data();
        jpeg_write_scanlines(&info, &line, 1);
    }
    jpeg_finish_compress(&info);
    return true;
}

} // namespace

Result<std::string> jpeg_of(const Pixels& pixels) {
    jpeg_compress_struct info{};
    Trap trap;
    info.err = jpeg_std_error(&trap.base);
    trap.base.error_exit = give_up;
    std::vector<JSAMPLE> row(pixels.columns * samples);
    Target target;
    const bool done = compress(info, trap, pixels, row, target);
    const std::unique_ptr<unsigned char, decltype(&std::free)> owned(target.bytes, &std::free);
    jpeg_destroy_compress(&info);
    if (!done) {
        return fail(Code::unavailable, "picture", "", trap.text.data());
    }
    return std::string(reinterpret_cast<const char*>(target.bytes), target.size);
}

} // namespace tocsin::pictures
