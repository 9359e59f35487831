// SPDX-License-Identifier: Apache-2.0
// Private to pictures: pixels as a JPEG, which cairo does not write; the one place where libjpeg is seen.
#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <string>

namespace tocsin::pictures {

// Of `rows` rows of `columns` pixels, each a native 0x00RRGGBB; a row begins every `stride` bytes.
struct Pixels {
    const unsigned char* data = nullptr;
    std::size_t columns = 0;
    std::size_t rows = 0;
    std::size_t stride = 0;
};

// The bytes of the file; unavailable where the library failed.
Result<std::string> jpeg_of(const Pixels& pixels);

} // namespace tocsin::pictures
