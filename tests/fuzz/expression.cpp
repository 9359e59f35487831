// SPDX-License-Identifier: Apache-2.0
// The filter language and the filter's other keys, asked of an event.
#include "core/expression.hpp"
#include "core/event.hpp"
#include "core/filter.hpp"
#include "core/json.hpp"
#include "fuzz.hpp"

#include <string>

namespace {

const tocsin::Event& event() {
    static const tocsin::Event made = [] {
        tocsin::json::Parser parser;
        auto events = parser.events(R"({"event_name":"sshd.login","event_src":"s","severity":"error","summary":"x y",)"
                                    R"("payload":{"user":{"name":"é"},"list":[1,2.5,null,true],"n":-3}})",
                                    {}, 1'767'322'804'000'000);
        return std::move(events->front());
    }();
    return made;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    tocsin::fuzz::Bytes bytes(data, size);
    const std::uint8_t key = bytes.number<std::uint8_t>();
    const auto parsed = tocsin::Expression::parse(bytes.rest());
    if (parsed) {
        const bool matches = (*parsed)->matches(event());
        const auto again = tocsin::Expression::parse((*parsed)->text());
        tocsin::fuzz::expect(again.has_value() && (*again)->matches(event()) == matches,
                             "its own text reads as itself");
    }
    const auto& keys = tocsin::filter_keys();
    static const tocsin::Zone zone = tocsin::Zone::utc();
    tocsin::FilterBuilder builder(zone);
    builder.add(keys[key % keys.size()], bytes.rest());
    if (const auto filter = builder.finish()) {
        static_cast<void>(filter->matches(event()));
        static_cast<void>(filter->hash());
    }
    static_cast<void>(tocsin::PageCursor::decode(bytes.rest(), key));
    return 0;
}
