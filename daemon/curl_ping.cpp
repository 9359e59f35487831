// SPDX-License-Identifier: Apache-2.0
#include "daemon/curl_ping.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace tocsin::daemon {

namespace {

constexpr long redirects_max = 3;
constexpr int poll_ms_max = 1'000;

struct Request {
    std::string url;
    long timeout_ms = 0;
    std::function<void(const std::string&)> done;
};

struct CloseEasy {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct CloseMulti {
    void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
using Easy = std::unique_ptr<CURL, CloseEasy>;
using Multi = std::unique_ptr<CURLM, CloseMulti>;

std::size_t discard(const char* /*data*/, std::size_t size, std::size_t count, void* /*nobody*/) {
    return size * count;
}

// A GET, which every such service takes as a beat.
void prepare(CURL* easy, const Request& request) {
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, redirects_max);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, request.timeout_ms);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); // the end of the daemon waits for no name server
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "tocsind/" TOCSIN_VERSION);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
}

// Never with the URL: whoever knows it can beat in our name.
std::string problem_of(CURL* easy, CURLcode code, const char* text) {
    if (code != CURLE_OK) {
        return *text != '\0' ? text : curl_easy_strerror(code);
    }
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && status < 300 ? std::string{} : fmt::format("the answer was {}", status);
}

} // namespace

struct CurlPing::Impl {
    explicit Impl(std::function<void(std::move_only_function<void()>)> give) : post(std::move(give)) {}
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    ~Impl() {
        if (!worker.joinable()) {
            return;
        }
        {
            const std::lock_guard lock(mutex);
            stopping = true;
        }
        wake.notify_one();
        curl_multi_wakeup(multi.get());
        worker.join();
    }

    // With the first request: a daemon without a dead man's switch has no thread for it. False: no memory.
    bool start() {
        if (worker.joinable()) {
            return true;
        }
        static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
        multi.reset(once == CURLE_OK ? curl_multi_init() : nullptr);
        if (multi != nullptr) {
            worker = std::thread([this] { run(); });
        }
        return worker.joinable();
    }

    // False: one is under way.
    bool take(Request request) {
        {
            const std::lock_guard lock(mutex);
            if (busy) {
                return false;
            }
            busy = true;
            waiting = std::move(request);
        }
        wake.notify_one();
        return true;
    }

    std::optional<Request> next() {
        std::unique_lock lock(mutex);
        wake.wait(lock, [this] { return stopping || waiting; });
        return stopping ? std::nullopt : std::exchange(waiting, std::nullopt);
    }

    bool ending() {
        const std::lock_guard lock(mutex);
        return stopping;
    }

    void run() {
        while (auto request = next()) {
            std::string problem;
            try {
                problem = transfer(*request);
            } catch (const std::exception& error) { // no memory: the next one may have some
                problem = error.what();
            }
            finish(std::move(request->done), std::move(problem));
        }
    }

    void finish(std::function<void(const std::string&)> done, std::string problem) {
        {
            const std::lock_guard lock(mutex);
            busy = false;
            if (stopping) {
                return;
            }
        }
        post([done = std::move(done), problem = std::move(problem)] { done(problem); });
    }

    std::string transfer(const Request& request) {
        const Easy easy(curl_easy_init());
        if (easy == nullptr) {
            return "no memory";
        }
        std::array<char, CURL_ERROR_SIZE> text{};
        prepare(easy.get(), request);
        curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, text.data());
        curl_multi_add_handle(multi.get(), easy.get());
        const std::optional<CURLcode> code = drive();
        curl_multi_remove_handle(multi.get(), easy.get());
        return code ? problem_of(easy.get(), *code, text.data()) : "interrupted";
    }

    // Until the transfer ended; nullopt when the daemon ends first.
    std::optional<CURLcode> drive() {
        int running = 1;
        while (running > 0 && !ending()) {
            if (curl_multi_perform(multi.get(), &running) != CURLM_OK) {
                return CURLE_FAILED_INIT;
            }
            if (running > 0) {
                curl_multi_poll(multi.get(), nullptr, 0, poll_ms_max, nullptr);
            }
        }
        int left = 0;
        const CURLMsg* message = curl_multi_info_read(multi.get(), &left);
        return message == nullptr ? std::nullopt : std::optional(message->data.result);
    }

    std::function<void(std::move_only_function<void()>)> post;
    Multi multi{};
    std::mutex mutex{};
    std::condition_variable wake{};
    std::optional<Request> waiting{};
    bool busy = false;
    bool stopping = false;
    std::thread worker{};
};

CurlPing::CurlPing(std::function<void(std::move_only_function<void()>)> post)
    : impl_(std::make_unique<Impl>(std::move(post))) {}

CurlPing::~CurlPing() = default;

void CurlPing::send(const std::string& url, std::int64_t timeout_us, std::function<void(const std::string&)> done) {
    const char* problem = nullptr;
    if (!impl_->start()) {
        problem = "libcurl cannot be started";
    } else if (!impl_->take(Request{url, static_cast<long>(timeout_us / 1'000), done})) {
        problem = "the one before is still under way";
    }
    if (problem != nullptr) {
        impl_->post([done = std::move(done), problem] { done(problem); });
    }
}

} // namespace tocsin::daemon
