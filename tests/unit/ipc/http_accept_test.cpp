// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/accept.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace tocsin::ipc::http {
namespace {

constexpr std::array<std::string_view, 4> offered = {"application/json", "image/png", "image/svg+xml", "text/csv"};

struct Choice {
    std::string_view accept;
    std::string_view type; // "": none
};

TEST(HttpAccept, ChoosesTheTypeThatIsLikedBest) {
    const std::vector<Choice> choices = {
        {"", ""},
        {"*/*", "application/json"},
        {"image/*", "image/png"},
        {"IMAGE/SVG+XML", "image/svg+xml"},
        {"text/html", ""},
        {"text/html, */*;q=0.1", "application/json"},
        // q, and what it is of
        {"image/png;q=0, image/svg+xml", "image/svg+xml"},
        {"image/png;q=0.5, image/svg+xml;q=0.501", "image/svg+xml"},
        {"image/png; q=0.9 , text/csv ;Q=1.000", "text/csv"},
        {"image/png;q=0", ""},
        {"image/png;q=0.000", ""},
        {"*/*;q=0", ""},
        {"application/json;q=0, */*", "image/png"},
        {"image/*;q=0.2, */*;q=0.1", "image/png"},
        // the closest range decides, wherever it stands
        {"image/*, image/png;q=0", "image/svg+xml"},
        {"*/*, application/json;q=0.5, image/png;q=0.5", "image/svg+xml"},
        // equals: the closer range, then the client's order, then ours
        {"*/*, text/csv", "text/csv"},
        {"image/*, text/csv", "text/csv"},
        {"text/csv, image/svg+xml", "text/csv"},
        {"image/svg+xml, image/png", "image/svg+xml"},
        {"image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5", "image/png"},
        // parameters and quotes
        {"text/csv;header=present", "text/csv"},
        {R"(text/html;x="a,image/png;q=1", text/csv)", "text/csv"},
        {R"(text/html;x="a\",image/png", text/csv)", "text/csv"},
        // what cannot be read is as if it were not there
        {"image/png;q=2, text/csv", "text/csv"},
        {"image/png;q=, text/csv", "text/csv"},
        {"image/png;q=0.1234, text/csv;q=0.01", "text/csv"},
        {"image/png;q=-1, text/csv;q=.5, image/svg+xml;q=0.1", "image/svg+xml"},
        {"image/png;q=1.001", ""},
        {", ,;q=1, text/csv,", "text/csv"},
        {"image/png;x=\"", "image/png"},
        {"image/pngx, ximage/png, image, png, /, image/", ""},
    };
    for (const Choice& one : choices) {
        const auto chosen = choose_type(one.accept, offered);
        EXPECT_EQ(chosen ? offered.at(*chosen) : "", one.type) << one.accept;
    }
}

TEST(HttpAccept, GzipIsSentToWhoWantsIt) {
    for (const std::string_view yes : {"gzip", "GZip", "x-gzip", "deflate, gzip, br, zstd", "gzip;q=0.1", "*",
                                       "br, *;q=0.5", "identity;q=0.5, gzip", "identity, gzip", "gzip;q=0.3, *;q=0"}) {
        EXPECT_TRUE(wants_gzip(yes)) << yes;
    }
    for (const std::string_view no :
         {"", "identity", "br", "gzip;q=0", "gzip;q=0.0, *", "*;q=0", "gzip;q=0.5, identity", "gzip;q=x", "gzipped"}) {
        EXPECT_FALSE(wants_gzip(no)) << no;
    }
}

TEST(HttpAccept, ATagIsKnownHoweverItIsListed) {
    const std::string tag = R"(W/"a,b")";
    for (const std::string_view yes :
         {R"(W/"a,b")", R"("a,b")", "*", R"("x", W/"a,b")", R"("x","a,b","y")", R"(W/"x", *)"}) {
        EXPECT_TRUE(names_tag(yes, tag)) << yes;
    }
    for (const std::string_view no : {"", R"("a")", R"(a,b)", R"("x")", R"(w/"a,b")", ",", R"("*")"}) {
        EXPECT_FALSE(names_tag(no, tag)) << no;
    }
}

} // namespace
} // namespace tocsin::ipc::http
