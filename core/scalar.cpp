// SPDX-License-Identifier: Apache-2.0
#include "core/scalar.hpp"

namespace tocsin {

namespace {

struct KindOf {
    std::string_view operator()(std::monostate) const { return "null"; }
    std::string_view operator()(bool) const { return "a boolean"; }
    std::string_view operator()(std::int64_t) const { return "an integer"; }
    std::string_view operator()(std::uint64_t) const { return "an integer"; }
    std::string_view operator()(std::uint32_t) const { return "an integer"; }
    std::string_view operator()(double) const { return "a real number"; }
    std::string_view operator()(std::string_view) const { return "a string"; }
    std::string_view operator()(RawJson raw) const { return raw.text.starts_with('[') ? "an array" : "an object"; }
    std::string_view operator()(TimeUs) const { return "a time"; }
    std::string_view operator()(TimesUs) const { return "an array"; }
};

} // namespace

std::string_view kind_of(const Scalar& value) {
    return std::visit(KindOf{}, value);
}

} // namespace tocsin
