// SPDX-License-Identifier: Apache-2.0
#include "core/json_impl.hpp"

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

namespace tocsin::json {

namespace {

// simdjson needs about 14 bytes of buffers for each byte of text; larger ones are given back after use.
constexpr std::size_t kept_bytes = limits::MiB;
constexpr std::size_t smallest_bytes = 4 * limits::KiB;
// How deep calls nest in one thread, at most, with documents that are kept.
constexpr std::size_t kept_documents = 4;

std::vector<std::unique_ptr<Document>>& idle_documents() {
    thread_local std::vector<std::unique_ptr<Document>> idle;
    return idle;
}

} // namespace

simdjson::error_code Document::reserve(std::size_t bytes) {
    const bool too_small = capacity_ == 0 || capacity_ < bytes;
    const bool too_large = capacity_ > kept_bytes && bytes <= kept_bytes;
    if (!too_small && !too_large) {
        return simdjson::SUCCESS;
    }
    const std::size_t capacity = std::max(std::bit_ceil(bytes), smallest_bytes);
    capacity_ = 0;
    parser_ = std::make_unique<simdjson::dom::parser>();
    buffer_ = std::make_unique_for_overwrite<char[]>(capacity + simdjson::SIMDJSON_PADDING);
    if (const auto error = parser_->allocate(capacity); error != simdjson::SUCCESS) {
        return error;
    }
    if (const auto error = parser_->doc.allocate(capacity); error != simdjson::SUCCESS) {
        return error;
    }
    capacity_ = capacity;
    return simdjson::SUCCESS;
}

simdjson::simdjson_result<element> Document::read(std::string_view text) {
    if (const auto error = reserve(text.size()); error != simdjson::SUCCESS) {
        return error;
    }
    text.copy(buffer_.get(), text.size());
    return parser_->parse(buffer_.get(), text.size(), false);
}

Lease::Lease() {
    auto& idle = idle_documents();
    if (idle.empty()) {
        document_ = std::make_unique<Document>();
        return;
    }
    document_ = std::move(idle.back());
    idle.pop_back();
}

Lease::~Lease() {
    auto& idle = idle_documents();
    if (idle.size() < kept_documents) {
        idle.push_back(std::move(document_));
    }
}

Scalar scalar_of(const element& value) {
    switch (value.type()) {
    case simdjson::dom::element_type::STRING:
        return std::string_view(value);
    case simdjson::dom::element_type::INT64:
        return std::int64_t(value);
    case simdjson::dom::element_type::UINT64:
        return std::uint64_t(value);
    case simdjson::dom::element_type::DOUBLE:
        return double(value);
    case simdjson::dom::element_type::BOOL:
        return bool(value);
    default:
        return std::monostate{};
    }
}

} // namespace tocsin::json
