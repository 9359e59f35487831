// SPDX-License-Identifier: Apache-2.0
#include "cli/run_report.hpp"

#include "cli/problem.hpp"
#include "core/json.hpp"

#include <fmt/format.h>

#include <exception>
#include <utility>

namespace tocsin::cli {
namespace {

std::optional<std::string> send(Client& client, const RunBeats& beats, const RunReport::End& beat,
                                std::chrono::milliseconds deadline) {
    Request request{.method = "POST",
                    .target = target(fmt::format("/v1/heartbeats/{}/{}", percent_encode(beats.source), beat.state),
                                     beats.parameters),
                    .deadline = deadline};
    if (!beat.status.empty()) {
        json::ObjectWriter writer(request.body);
        writer.add("status", std::string_view(beat.status));
        writer.close();
        request.content_type = "application/json";
    }
    const auto response = client.send(request);
    if (response && response->ok()) {
        return std::nullopt;
    }
    const Error error = response ? problem_of(*response) : response.error();
    return error.object.empty() ? error.reason : fmt::format("{}: {}", error.object, error.reason);
}

} // namespace

struct RunReport::Telling {
    Client& client;
    RunBeats beats;
    bool began;
    std::future<std::optional<End>> ending;
    std::optional<std::string>& problem;

    void operator()() noexcept {
        try {
            tell();
        } catch (const std::exception& error) {
            problem = error.what(); // out of memory
        }
    }

    void tell() {
        std::optional<std::string> start;
        if (began) {
            start = send(client, beats, {.state = "start"}, beats.start);
        }
        const std::optional<End> end = ending.get();
        const std::optional<std::string> rest = end ? send(client, beats, *end, beats.end) : std::nullopt;
        if (rest) {
            problem = fmt::format("the daemon did not hear of this run: {}", *rest);
        } else if (start) {
            problem = fmt::format("the daemon did not hear of its start: {}", *start);
        }
    }
};

RunReport::RunReport(Client& client, RunBeats beats, bool began)
    : thread_(Telling{client, std::move(beats), began, end_.get_future(), problem_}) {}

RunReport::~RunReport() {
    if (!ended_) {
        end_.set_value(std::nullopt);
    }
}

void RunReport::end(End end) {
    ended_ = true;
    end_.set_value(std::move(end));
}

std::optional<std::string> RunReport::wait() {
    thread_.join();
    return problem_;
}

} // namespace tocsin::cli
