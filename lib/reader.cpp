// SPDX-License-Identifier: Apache-2.0
#include "lib/reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <string>
#include <utility>

namespace tocsin::lib {

namespace http = boost::beast::http;

namespace {

constexpr std::uint32_t head_bytes_max = 16U * 1024;
constexpr std::uint64_t body_bytes_max = 16ULL * 1024 * 1024; // the daemon's longest answers, of a batch, end at 7 MiB
constexpr unsigned informational = 1;                         // 1xx: the answer itself follows

} // namespace

struct Reader::Parser {
    using Http = http::response_parser<http::string_body>;
    std::unique_ptr<Http> http = fresh();
    std::string left{}; // received, not read yet

    static std::unique_ptr<Http> fresh() {
        auto made = std::make_unique<Http>();
        made->header_limit(head_bytes_max);
        made->body_limit(body_bytes_max);
        made->eager(true);
        return made;
    }

    State read() {
        while (!left.empty() && !http->is_done()) {
            boost::system::error_code error;
            const std::size_t used = http->put(boost::asio::buffer(left), error);
            left.erase(0, used);
            if (error == http::error::need_more) {
                return State::more;
            }
            if (error) {
                return State::bad;
            }
            if (http->is_done() && http->get().result_int() / 100 == informational) {
                http = fresh();
            } else if (used == 0) {
                return State::bad; // never: nothing read, and nothing wrong
            }
        }
        return http->is_done() ? State::done : State::more;
    }
};

Reader::Reader() : parser_(std::make_unique<Parser>()) {}
Reader::~Reader() = default;

Reader::State Reader::take(std::string_view piece) {
    parser_->left.append(piece);
    return parser_->read();
}

Answer Reader::answer() {
    auto& message = parser_->http->get();
    Answer answer;
    answer.status = message.result_int();
    const auto wait = message[http::field::retry_after];
    answer.retry_after.assign(wait.data(), wait.size());
    answer.keep = parser_->http->keep_alive() && parser_->left.empty();
    answer.body = std::move(message.body());
    return answer;
}

} // namespace tocsin::lib
