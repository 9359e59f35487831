// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/gzip.hpp"

#include <zlib.h>

#include <algorithm>

namespace tocsin::ipc::http {
namespace {

constexpr int gzip_window_bits = 15 + 16; // the largest window; 16: with gzip's own head and checksum
constexpr int memory_level = 8;           // zlib's usual: 256 KiB while it works

class Deflater {
public:
    Deflater() {
        ready_ = ::deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, gzip_window_bits, memory_level,
                                Z_DEFAULT_STRATEGY) == Z_OK;
    }
    ~Deflater() {
        if (ready_) {
            ::deflateEnd(&stream_);
        }
    }
    Deflater(const Deflater&) = delete;
    Deflater& operator=(const Deflater&) = delete;

    bool ready() const { return ready_; }
    z_stream& stream() { return stream_; }

private:
    z_stream stream_{};
    bool ready_ = false;
};

} // namespace

std::optional<std::string> gzip(std::string_view bytes) {
    Deflater deflater;
    if (!deflater.ready() || bytes.size() > UINT32_MAX) {
        return std::nullopt;
    }
    z_stream& stream = deflater.stream();
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data())); // zlib's old signature: it only reads
    stream.avail_in = static_cast<uInt>(bytes.size());
    std::string packed(bytes.size() / 4 + 64, '\0'); // most text needs less
    for (;;) {
        stream.next_out = reinterpret_cast<Bytef*>(packed.data()) + stream.total_out;
        stream.avail_out = static_cast<uInt>(packed.size() - stream.total_out);
        if (::deflate(&stream, Z_FINISH) == Z_STREAM_END) {
            break;
        }
        if (packed.size() >= bytes.size()) {
            return std::nullopt;
        }
        packed.resize(std::min(packed.size() * 2, bytes.size()));
    }
    if (stream.total_out >= bytes.size()) {
        return std::nullopt;
    }
    packed.resize(stream.total_out);
    return packed;
}

} // namespace tocsin::ipc::http
