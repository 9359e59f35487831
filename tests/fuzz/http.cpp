// SPDX-License-Identifier: Apache-2.0
// The whole HTTP connection over a stream in memory: any bytes, in pieces of any size, from the Unix socket or over the
// network, get answers or nothing; what they held is given back.
#ifndef BOOST_BEAST_SEPARATE_COMPILATION
#define BOOST_BEAST_SEPARATE_COMPILATION
#endif
#include "http_memory.hpp"

#include "fuzz.hpp"
#include "ipc/http/doorway.hpp"

#include <memory>

namespace http = tocsin::ipc::http;
using tocsin::fuzz::Bytes;
using tocsin::fuzz::expect;

namespace {

constexpr std::size_t events_most = 1'000;

http::Limits limits() {
    http::Limits limits = http::test::Face::fast();
    limits.header_bytes = 2'000;
    limits.chunk_lines = 2;
    limits.batch_bytes = 20'000;
    return limits;
}

std::shared_ptr<http::Peer> peer(std::uint8_t kind) {
    if (kind == 0) {
        return http::test::Face::peer(::getuid());
    }
    auto made = std::make_shared<http::Peer>();
    made->doorway = std::make_shared<const http::Doorway>(http::doorway_at("127.0.0.1:7878", kind == 1));
    return made;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static auto face = std::make_unique<http::test::Face>(limits());
    if (face->log.events.size() > events_most) {
        face = std::make_unique<http::test::Face>(limits());
    }
    Bytes bytes(data, size);
    const auto kind = bytes.below(8);
    const std::size_t piece = bytes.number<std::uint8_t>() + 1U;
    const std::string output = http::test::serve(*face, bytes.rest(), piece, peer(kind > 2 ? 0 : kind));
    expect(output.empty() || output.starts_with("HTTP/1.1 "), "an answer is HTTP");
    expect(face->log.followers() == 0, "nobody follows any more");
    expect(face->hub->application().bodies().left() == face->hub->limits().bodies_bytes, "no body is held");
    return 0;
}
