// SPDX-License-Identifier: Apache-2.0
// Private to pictures: cairo behind RAII; the one place where it is seen.
#pragma once

#include "core/error.hpp"
#include "core/ports.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace tocsin::pictures {

struct Ink {
    double red = 0;
    double green = 0;
    double blue = 0;
};
struct Point {
    double x = 0;
    double y = 0;
};

class Canvas {
public:
    Canvas(PictureFormat format, int width, int height);
    ~Canvas();
    Canvas(const Canvas&) = delete;
    Canvas& operator=(const Canvas&) = delete;

    void box(Point from, Point to, const Ink& ink);
    void line(Point from, Point to, const Ink& ink);                          // one pixel wide
    void text(Point at, std::string_view words, double size, const Ink& ink); // at: left end of its baseline
    double width_of(std::string_view words, double size);
    // Cut with an ellipsis to this width.
    std::string fit(std::string words, double size, double room);

    // The bytes of the file; unavailable where the library failed.
    Result<std::string> finish() &&;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// Valid UTF-8 without control characters, which the library would refuse or draw as boxes.
std::string printable(std::string_view text);

} // namespace tocsin::pictures
