// SPDX-License-Identifier: Apache-2.0
#include "cli/client.hpp"

#include "core/limits.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <new>

namespace tocsin::cli {
namespace {

constexpr long connect_ms = 5'000;
constexpr long stream_silence_s = 45; // a live stream says something every 15 s
constexpr std::size_t answer_bytes_max = 64 * limits::MiB;
constexpr long upload_buffer_bytes = 512L * 1024;
constexpr long receive_buffer_bytes = 256L * 1024;

class Headers {
public:
    Headers() = default;
    ~Headers() { ::curl_slist_free_all(list_); }
    Headers(const Headers&) = delete;
    Headers& operator=(const Headers&) = delete;
    void add(const std::string& line) { list_ = ::curl_slist_append(list_, line.c_str()); }
    void add(std::string_view name, const std::string& value) {
        if (!value.empty()) {
            add(fmt::format("{}: {}", name, value));
        }
    }
    curl_slist* list() const { return list_; }

private:
    curl_slist* list_ = nullptr;
};

// One answer on its way in. Callbacks never throw into C.
struct Incoming {
    CURL* easy = nullptr;
    const PieceHandler* use = nullptr;
    Response response{};
    bool too_large = false;
    bool ended = false; // by `use`

    bool take(std::string_view piece) {
        long status = 0;
        ::curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        if (use != nullptr && status >= 200 && status < 300) {
            ended = !(*use)(piece);
            return !ended;
        }
        too_large = response.body.size() + piece.size() > answer_bytes_max;
        if (!too_large) {
            response.body += piece;
        }
        return !too_large;
    }
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) noexcept {
    try {
        return static_cast<Incoming*>(user)->take({data, size * count}) ? size * count : 0;
    } catch (const std::exception&) {
        return 0; // CURLE_WRITE_ERROR
    }
}

// <target>; rel="next"
std::string next_of(std::string_view link) {
    const std::size_t begin = link.find('<');
    const std::size_t end = link.find('>', begin == std::string_view::npos ? 0 : begin);
    const bool next =
        link.find("rel=\"next\"") != std::string_view::npos || link.find("rel=next") != std::string_view::npos;
    return next && begin != std::string_view::npos && end != std::string_view::npos
               ? std::string(link.substr(begin + 1, end - begin - 1))
               : std::string();
}

std::string header_of(CURL* easy, const char* name) {
    curl_header* header = nullptr;
    return ::curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : "";
}

void read_head(CURL* easy, Response& response) {
    long status = 0;
    ::curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    response.status = static_cast<unsigned>(status);
    response.content_type = header_of(easy, "Content-Type");
    response.next = next_of(header_of(easy, "Link"));
    const std::string retry = header_of(easy, "Retry-After");
    unsigned seconds = 0;
    if (std::from_chars(retry.data(), retry.data() + retry.size(), seconds).ec == std::errc{}) {
        response.retry_after_s = seconds;
    }
}

std::string why_not(int error) {
    switch (error) {
    case 0:
        return "cannot be reached";
    case ENOENT:
    case ECONNREFUSED:
        return "no daemon listens there";
    case EAGAIN:
        return "the daemon has more connections than it can take";
    default:
        return ::strerror(error);
    }
}

class CurlClient final : public Client {
public:
    explicit CurlClient(ClientOptions options) : options_(std::move(options)) {}
    ~CurlClient() override {
        ::curl_easy_cleanup(easy_);
        if (easy_ != nullptr) {
            ::curl_global_cleanup();
        }
    }
    CurlClient(const CurlClient&) = delete;
    CurlClient& operator=(const CurlClient&) = delete;

    Result<Response> send(const Request& request) override { return perform(request, nullptr); }
    Result<Response> stream(const Request& request, const PieceHandler& use) override { return perform(request, &use); }

private:
    Result<void> open() {
        if (options_.socket.size() >= sizeof(sockaddr_un::sun_path)) {
            return fail(
                Code::invalid_argument, "usage", options_.socket,
                fmt::format("is longer than a socket's path may be ({} bytes)", sizeof(sockaddr_un::sun_path) - 1));
        }
        if (easy_ == nullptr) {
            static_cast<void>(::curl_global_init(CURL_GLOBAL_NOTHING));
            easy_ = ::curl_easy_init();
        }
        if (easy_ == nullptr) {
            return fail(Code::unavailable, std::string(context_connect), "libcurl", "cannot be set up");
        }
        return {};
    }

    // What holds for every request.
    void set_common() {
        ::curl_easy_reset(easy_); // keeps the connection
        ::curl_easy_setopt(easy_, CURLOPT_UNIX_SOCKET_PATH, options_.socket.c_str());
        ::curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
        ::curl_easy_setopt(easy_, CURLOPT_PROXY, "");
        ::curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http");
        ::curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
        ::curl_easy_setopt(easy_, CURLOPT_PATH_AS_IS, 1L);
        ::curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
        ::curl_easy_setopt(easy_, CURLOPT_UPLOAD_BUFFERSIZE, upload_buffer_bytes);
        ::curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, receive_buffer_bytes);
        ::curl_easy_setopt(easy_, CURLOPT_USERAGENT, "tocsinctl/" TOCSIN_VERSION);
        ::curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, on_body);
    }

    void set_request(const Request& request, const Headers& headers) {
        const std::string url = "http://localhost" + request.target;
        ::curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
        ::curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers.list());
        if (request.method == "GET") {
            return;
        }
        // On a connection of its own: libcurl sends again by itself when one that it kept turns out to be dead.
        ::curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, 1L);
        ::curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
        ::curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        ::curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request.body.c_str());
    }

    void set_times(std::chrono::milliseconds answer, bool stream) {
        if (stream) {
            ::curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_LIMIT, 1L);
            ::curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_TIME, stream_silence_s);
        } else {
            ::curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(answer.count()));
        }
    }

    Result<Response> perform(const Request& request, const PieceHandler* use) {
        if (auto opened = open(); !opened) {
            return std::unexpected(std::move(opened.error()));
        }
        Headers headers;
        headers.add("Expect:"); // nothing to ask first on a socket of this machine
        headers.add(request.content_type.empty() ? "Content-Type:" : "Content-Type: " + request.content_type);
        headers.add("Accept", request.accept);
        headers.add("Last-Event-ID", request.last_event_id);
        Incoming incoming{.easy = easy_, .use = use};
        set_common();
        set_request(request, headers);
        set_times(request.deadline.count() > 0 ? request.deadline : options_.answer, use != nullptr);
        ::curl_easy_setopt(easy_, CURLOPT_WRITEDATA, &incoming);
        const CURLcode result = ::curl_easy_perform(easy_);
        if (result != CURLE_OK && !incoming.ended) {
            return std::unexpected(error_of(result, incoming));
        }
        read_head(easy_, incoming.response);
        return std::move(incoming.response);
    }

    Error error_of(CURLcode result, const Incoming& incoming) const {
        if (incoming.too_large) {
            return problem(context_answer, fmt::format("the answer is larger than {} MiB; ask for less at a time",
                                                       answer_bytes_max / limits::MiB));
        }
        double connected_s = 0;
        ::curl_easy_getinfo(easy_, CURLINFO_CONNECT_TIME, &connected_s);
        if (result == CURLE_COULDNT_CONNECT) {
            long error = 0;
            ::curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &error);
            Error refused = problem(context_connect, why_not(static_cast<int>(error)));
            refused.code = error == EACCES || error == EPERM ? Code::not_authorized : Code::unavailable;
            return refused;
        }
        if (result == CURLE_OPERATION_TIMEDOUT) {
            return problem(context_answer, "no answer in time; \"tocsinctl status\" says whether the daemon is well, "
                                           "--timeout 2m waits longer");
        }
        return problem(context_answer,
                       fmt::format("the connection broke before the answer came ({}); the daemon may have "
                                   "done it or not: look before doing it again",
                                   ::curl_easy_strerror(result)));
    }

    Error problem(std::string_view context, std::string reason) const {
        return {.code = Code::unavailable,
                .context = std::string(context),
                .object = options_.socket,
                .reason = std::move(reason)};
    }

    ClientOptions options_;
    CURL* easy_ = nullptr;
};

bool is_unreserved(char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

} // namespace

std::unique_ptr<Client> make_client(ClientOptions options) {
    return std::make_unique<CurlClient>(std::move(options));
}

std::string choose_socket(const SocketChoice& choice, const std::function<bool(const std::string&)>& exists) {
    if (choice.option) {
        return std::string(*choice.option);
    }
    if (!choice.environment.empty()) {
        return choice.environment;
    }
    if (!choice.is_root && !choice.runtime_dir.empty()) {
        std::string own = choice.runtime_dir + "/tocsin/tocsin.sock";
        if (exists(own)) {
            return own;
        }
    }
    return "/run/tocsin/tocsin.sock";
}

std::string percent_encode(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

std::string target(std::string_view path, const Parameters& parameters) {
    std::string out(path);
    char separator = '?';
    for (const auto& [key, value] : parameters) {
        out += separator + percent_encode(key) + '=' + percent_encode(value);
        separator = '&';
    }
    return out;
}

} // namespace tocsin::cli
