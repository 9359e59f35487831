// SPDX-License-Identifier: Apache-2.0
// What is read back from a store: values of the log, groups of sealed records, postings. Whatever the bytes are, the
// answer is an event or an error. Checksums are made right, or nothing behind them would be reached.
#include "storage/records.hpp"
#include "core/json.hpp"
#include "fuzz.hpp"
#include "storage/bytes.hpp"
#include "storage/chunk_codec.hpp"
#include "storage/chunk_writer.hpp"
#include "storage/posting.hpp"
#include "storage/sealed_value.hpp"

#include <string>
#include <vector>

using tocsin::fuzz::Bytes;

namespace storage = tocsin::storage;

namespace {

constexpr std::uint64_t first = 1'000;
constexpr std::size_t checksum_at = 4;

void read_chunk(std::string value) {
    if (value.size() >= storage::chunk_header_bytes) {
        const std::uint64_t right = storage::big_endian(storage::chunk_checksum(value, first));
        std::memcpy(value.data() + checksum_at, &right, sizeof right);
    }
    storage::ChunkReader chunk;
    if (!chunk.open(value, first) || !chunk.read_columns()) {
        return;
    }
    for (std::size_t row = 0; row < chunk.count(); ++row) {
        static_cast<void>(chunk.event(row));
        if (const auto stored = chunk.stored(row)) {
            static_cast<void>(chunk.origin(stored->origin));
        }
    }
}

const std::string& sound_chunk() {
    static const std::string made = [] {
        constexpr std::string_view lines =
            R"({"event_name":"a.b","event_src":"s","scid":7,"payload":{"k":[1,2]},"summary":"x","environment":"e"})"
            "\n"
            R"({"event_name":"a.c","event_src":"t","event_rule_id":3,"severity":"error","count":9})"
            "\n"
            R"({"event_name":"a.b","event_src":"s","event_type":"dataset","event_id":"d","spark_script":"r"})";
        tocsin::json::Parser parser;
        const auto events = parser.ndjson(lines, {}, 1'767'322'804'000'000);
        storage::ChunkWriter writer;
        for (const tocsin::Event& event : *events) {
            writer.add(event);
        }
        return std::string(writer.seal(first));
    }();
    return made;
}

// A sound one in which some bytes are others.
void read_damaged_chunk(Bytes bytes) {
    std::string value = sound_chunk();
    while (!bytes.empty()) {
        const std::size_t at = bytes.number<std::uint16_t>() % value.size();
        value[at] = static_cast<char>(bytes.number<std::uint8_t>());
    }
    read_chunk(std::move(value));
}

void read_group(Bytes bytes) {
    const std::string_view table = bytes.text(bytes.number<std::uint16_t>() % 256);
    const storage::SealedRow row = storage::seal_row(storage::Tree::records, "\0\0\0\0\0\0\3\350", table, bytes.rest());
    std::string space;
    storage::ChunkReader chunk;
    static_cast<void>(storage::open_group(row.key, row.value, first + 1, space, chunk));
    static_cast<void>(storage::open_sealed(row.key, bytes.rest()));
}

void read_rows(Bytes bytes) {
    const auto universe = static_cast<std::uint32_t>(bytes.number<std::uint16_t>()) + 1;
    storage::ByteReader in(bytes.rest());
    const storage::Posting posting = storage::read_posting(in, universe);
    storage::RowSet rows(universe);
    const bool sound = storage::add_rows(posting, rows);
    std::vector<std::uint32_t> codes(universe);
    tocsin::fuzz::expect(storage::put_code(posting, 1, codes) == sound, "both ways of reading agree");
    if (sound) {
        tocsin::fuzz::expect(storage::count_rows(posting, rows) == rows.count(), "counts are those of its rows");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Bytes bytes(data, size);
    switch (bytes.below(4)) {
    case 0:
        read_chunk(std::string(bytes.rest()));
        break;
    case 1:
        read_group(bytes);
        break;
    case 2:
        read_damaged_chunk(bytes);
        break;
    default:
        read_rows(bytes);
    }
    return 0;
}
