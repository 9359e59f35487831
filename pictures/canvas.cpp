// SPDX-License-Identifier: Apache-2.0
#include "pictures/canvas.hpp"

#include "core/utf8.hpp"
#include "pictures/jpeg.hpp"

#include <cairo-svg.h>
#include <cairo.h>

#include <exception>
#include <utility>

namespace tocsin::pictures {

namespace {

constexpr std::string_view ellipsis = "…";

cairo_status_t append(void* into, const unsigned char* bytes, unsigned size) {
    try {
        static_cast<std::string*>(into)->append(reinterpret_cast<const char*>(bytes), size);
    } catch (const std::exception&) {
        return CAIRO_STATUS_NO_MEMORY;
    }
    return CAIRO_STATUS_SUCCESS;
}

Pixels pixels_of(cairo_surface_t* image) {
    cairo_surface_flush(image);
    return {.data = cairo_image_surface_get_data(image),
            .columns = static_cast<std::size_t>(cairo_image_surface_get_width(image)),
            .rows = static_cast<std::size_t>(cairo_image_surface_get_height(image)),
            .stride = static_cast<std::size_t>(cairo_image_surface_get_stride(image))};
}

bool continues(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
}

} // namespace

struct Canvas::Impl {
    std::string bytes{}; // of an SVG while it is drawn
    PictureFormat format;
    cairo_surface_t* surface;
    cairo_t* pen;

    Impl(PictureFormat wanted, int width, int height)
        : format(wanted),
          surface(wanted == PictureFormat::svg ? cairo_svg_surface_create_for_stream(append, &bytes, width, height)
                                               : cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height)),
          pen(cairo_create(surface)) {
        cairo_select_font_face(pen, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    }
    ~Impl() {
        cairo_destroy(pen);
        cairo_surface_destroy(surface);
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
};

Canvas::Canvas(PictureFormat format, int width, int height) : impl_(std::make_unique<Impl>(format, width, height)) {}

Canvas::~Canvas() = default;

void Canvas::box(Point from, Point to, const Ink& ink) {
    cairo_set_source_rgb(impl_->pen, ink.red, ink.green, ink.blue);
    cairo_rectangle(impl_->pen, from.x, from.y, to.x - from.x, to.y - from.y);
    cairo_fill(impl_->pen);
}

void Canvas::line(Point from, Point to, const Ink& ink) {
    cairo_set_source_rgb(impl_->pen, ink.red, ink.green, ink.blue);
    cairo_set_line_width(impl_->pen, 1);
    cairo_move_to(impl_->pen, from.x, from.y);
    cairo_line_to(impl_->pen, to.x, to.y);
    cairo_stroke(impl_->pen);
}

void Canvas::text(Point at, std::string_view words, double size, const Ink& ink) {
    cairo_set_source_rgb(impl_->pen, ink.red, ink.green, ink.blue);
    cairo_set_font_size(impl_->pen, size);
    cairo_move_to(impl_->pen, at.x, at.y);
    cairo_show_text(impl_->pen, std::string(words).c_str());
}

double Canvas::width_of(std::string_view words, double size) {
    cairo_text_extents_t extents{};
    cairo_set_font_size(impl_->pen, size);
    cairo_text_extents(impl_->pen, std::string(words).c_str(), &extents);
    return extents.x_advance;
}

std::string Canvas::fit(std::string words, double size, double room) {
    if (width_of(words, size) <= room) {
        return words;
    }
    while (!words.empty() && width_of(words + std::string(ellipsis), size) > room) {
        while (!words.empty() && continues(words.back())) {
            words.pop_back();
        }
        if (!words.empty()) {
            words.pop_back();
        }
    }
    return words + std::string(ellipsis);
}

Result<std::string> Canvas::finish() && {
    cairo_status_t status = cairo_status(impl_->pen);
    if (status == CAIRO_STATUS_SUCCESS && impl_->format == PictureFormat::png) {
        status = cairo_surface_write_to_png_stream(impl_->surface, append, &impl_->bytes);
    } else if (status == CAIRO_STATUS_SUCCESS && impl_->format == PictureFormat::jpeg) {
        return jpeg_of(pixels_of(impl_->surface));
    } else if (status == CAIRO_STATUS_SUCCESS) {
        cairo_surface_finish(impl_->surface);
        status = cairo_surface_status(impl_->surface);
    }
    if (status != CAIRO_STATUS_SUCCESS) {
        return fail(Code::unavailable, "picture", "", cairo_status_to_string(status));
    }
    return std::exchange(impl_->bytes, {});
}

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte == 0x7f ? '?' : c;
    }
    return utf8_valid_prefix(out) == out.size() ? out : std::string("?");
}

} // namespace tocsin::pictures
