// SPDX-License-Identifier: Apache-2.0
// The configuration file, as a start or a reload reads it; and every value's text reads as itself.
#include "core/json.hpp"
#include "daemon/config_describe.hpp"
#include "daemon/config_load.hpp"
#include "fuzz.hpp"

#include <string>
#include <sys/mman.h>
#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const int file = ::memfd_create("configuration", MFD_CLOEXEC);
    tocsin::fuzz::expect(::ftruncate(file, 0) == 0 && ::pwrite(file, data, size, 0) == static_cast<ssize_t>(size),
                         "the file is written");
    tocsin::daemon::ConfigSources sources;
    sources.vendor = sources.admin = "/nonexistent";
    sources.file = "/proc/self/fd/" + std::to_string(file);
    const tocsin::daemon::Loaded loaded = tocsin::daemon::load_config(sources);
    tocsin::fuzz::expect(tocsin::json::minify(tocsin::daemon::check_config_json(loaded)).has_value(),
                         "findings are JSON");
    tocsin::fuzz::expect(tocsin::json::minify(tocsin::daemon::show_config_json(loaded)).has_value(), "values are JSON");
    return 0;
}
