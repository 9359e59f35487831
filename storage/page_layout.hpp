// SPDX-License-Identifier: Apache-2.0
// Private to storage: how LMDB 0.9 lays out a data file on a 64-bit machine, in the machine's own byte order. Every
// access is bounds checked; what lies outside reads as zero, and the checks that follow refuse it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace tocsin::storage::page {

inline constexpr std::uint32_t magic = 0xBEEFC0DE;
inline constexpr std::uint32_t version = 1;
inline constexpr std::uint64_t meta_pages = 2;
inline constexpr std::uint64_t none = ~std::uint64_t{0}; // the root of an empty tree
inline constexpr unsigned depth_max = 32;                // LMDB's own
inline constexpr std::size_t header_bytes = 16;
inline constexpr std::size_t node_bytes = 8; // before a node's key

// Kinds of pages.
inline constexpr std::uint16_t branch = 0x01;
inline constexpr std::uint16_t leaf = 0x02;
inline constexpr std::uint16_t overflow = 0x04;
inline constexpr std::uint16_t meta = 0x08;

// Kinds of values in a leaf.
inline constexpr std::uint16_t big_data = 0x01;
inline constexpr std::uint16_t sub_data = 0x02;

// Kinds of trees.
inline constexpr std::uint16_t integer_keys = 0x08;

template <typename T> T at(std::string_view bytes, std::size_t offset) {
    T value{};
    if (offset <= bytes.size() && bytes.size() - offset >= sizeof(T)) {
        std::memcpy(&value, bytes.data() + offset, sizeof(T));
    }
    return value;
}

struct Header {
    explicit Header(std::string_view page)
        : number(at<std::uint64_t>(page, 0)),
          kind(at<std::uint16_t>(page, 10)),
          lower(at<std::uint16_t>(page, 12)),
          upper(at<std::uint16_t>(page, 14)),
          pages(at<std::uint32_t>(page, 12)) {}
    std::uint64_t number;
    std::uint16_t kind;
    std::uint16_t lower; // the end of the list of nodes
    std::uint16_t upper; // the beginning of the nodes
    std::uint32_t pages; // of an overflow run, in place of lower and upper
    std::size_t nodes() const { return lower < header_bytes ? 0 : (lower - header_bytes) / 2U; }
};

// The record of a tree, in a meta page or as a value of the main tree.
inline constexpr std::size_t tree_bytes = 48;
struct TreeRecord {
    explicit TreeRecord(std::string_view bytes)
        : pad(at<std::uint32_t>(bytes, 0)),
          flags(at<std::uint16_t>(bytes, 4)),
          depth(at<std::uint16_t>(bytes, 6)),
          branch_pages(at<std::uint64_t>(bytes, 8)),
          leaf_pages(at<std::uint64_t>(bytes, 16)),
          overflow_pages(at<std::uint64_t>(bytes, 24)),
          entries(at<std::uint64_t>(bytes, 32)),
          root(at<std::uint64_t>(bytes, 40)) {}
    std::uint32_t pad; // of the free list's record in a meta page: the size of a page
    std::uint16_t flags;
    std::uint16_t depth;
    std::uint64_t branch_pages;
    std::uint64_t leaf_pages;
    std::uint64_t overflow_pages;
    std::uint64_t entries;
    std::uint64_t root;
};

inline constexpr std::size_t meta_bytes = header_bytes + 24 + 2 * tree_bytes + 16;
struct Meta {
    explicit Meta(std::string_view page)
        : header(page),
          magic_number(at<std::uint32_t>(page, header_bytes)),
          format(at<std::uint32_t>(page, header_bytes + 4)),
          free_list(page.substr(header_bytes + 24, tree_bytes)),
          main(page.substr(header_bytes + 24 + tree_bytes, tree_bytes)),
          last_page(at<std::uint64_t>(page, header_bytes + 24 + 2 * tree_bytes)),
          transaction(at<std::uint64_t>(page, header_bytes + 32 + 2 * tree_bytes)) {}
    Header header;
    std::uint32_t magic_number;
    std::uint32_t format;
    TreeRecord free_list;
    TreeRecord main;
    std::uint64_t last_page;
    std::uint64_t transaction;
};

// One entry of a page.
struct Node {
    std::uint16_t flags = 0;
    std::string_view key{};
    std::uint64_t child = 0;    // of a branch: the page
    std::uint64_t size = 0;     // of a leaf: the value's bytes
    std::string_view value{};   // of a leaf, unless it stands on overflow pages
    std::uint64_t value_at = 0; // then their first
};

inline std::optional<Node> read_node(std::string_view page, const Header& header, std::size_t number) {
    const std::size_t offset = at<std::uint16_t>(page, header_bytes + number * 2);
    if (offset < header.upper || offset + node_bytes > page.size()) {
        return std::nullopt;
    }
    const auto low = at<std::uint16_t>(page, offset);
    const auto high = at<std::uint16_t>(page, offset + 2);
    Node node;
    node.flags = at<std::uint16_t>(page, offset + 4);
    const std::size_t key_size = at<std::uint16_t>(page, offset + 6);
    const std::size_t value_offset = offset + node_bytes + key_size;
    if (value_offset > page.size()) {
        return std::nullopt;
    }
    node.key = page.substr(offset + node_bytes, key_size);
    node.size = low | (std::uint64_t{high} << 16U);
    if (header.kind == branch) {
        node.child = node.size | (std::uint64_t{node.flags} << 32U);
        return node;
    }
    const std::size_t here = (node.flags & big_data) != 0 ? sizeof(std::uint64_t) : static_cast<std::size_t>(node.size);
    if (here > page.size() - value_offset) {
        return std::nullopt;
    }
    node.value = page.substr(value_offset, here);
    node.value_at = (node.flags & big_data) != 0 ? at<std::uint64_t>(node.value, 0) : 0;
    return node;
}

} // namespace tocsin::storage::page
