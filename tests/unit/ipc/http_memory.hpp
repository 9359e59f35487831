// SPDX-License-Identifier: Apache-2.0
// The whole connection over an in-memory stream, no socket.
#pragma once

#include "http_face.hpp"

#include "ipc/http/connection_impl.hpp"

#include <boost/beast/_experimental/test/stream.hpp>

namespace tocsin::ipc::http {

using MemoryStream = beast::test::basic_stream<Executor>;

template <> struct Ending<MemoryStream> {
    static void close(MemoryStream& stream) { stream.close(); }
    static void stop_sending(MemoryStream& stream) { stream.close(); }
};

namespace test {

// What the connection wrote for `input`, which comes in pieces, when the other side has sent it and closed.
inline std::string serve(Face& face, std::string_view input, std::size_t piece, std::shared_ptr<Peer> peer,
                         beast::test::fail_count* failing = nullptr) {
    MemoryStream theirs(face.io);
    MemoryStream ours = failing == nullptr ? MemoryStream(face.io) : MemoryStream(face.io, *failing);
    ours.connect(theirs);
    ours.read_size(piece);
    auto connection =
        std::make_shared<Connection<MemoryStream>>(face.hub, std::move(ours), std::move(peer), Admission::served);
    connection->start();
    connection.reset();
    boost::system::error_code error;
    theirs.write_some(asio::buffer(input), error);
    theirs.close();
    EXPECT_TRUE(face.pump([&face] { return face.hub->connections() == 0; })) << input;
    return std::string(theirs.str());
}

} // namespace test
} // namespace tocsin::ipc::http
