// SPDX-License-Identifier: Apache-2.0
// The header in C++: types of our namespace's name beside it, and the initialiser of options.
#include <tocsin.h>

#include <type_traits>

namespace tocsin {}

static_assert(std::is_standard_layout_v<tocsin_beat_options>);
static_assert(TOCSIN_INVALID_EVENT == -1 && TOCSIN_CONFLICT == -8, "tocsinctl's exit codes, with a minus");

int main() {
    const tocsin_beat_options options = TOCSIN_BEAT_OPTIONS_INIT;
    return options.size == sizeof options && tocsin_version() != nullptr ? 0 : 1;
}
