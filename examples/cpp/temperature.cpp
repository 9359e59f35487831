// SPDX-License-Identifier: Apache-2.0
// A detector that runs once, from a systemd timer or cron: reads the thermal zones of the machine and submits the hot
// ones as one batch. Its exit code is that of tocsinctl: 0, or why the daemon did not take it.
//
//     temperature LIMIT [FOLDER]          temperature 85 /sys/class/thermal
#include <tocsin.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace {

// The library is C; a smart pointer is all that C++ needs to give things back.
struct Give {
    void operator()(tocsin_client* client) const { tocsin_close(client); }
    void operator()(tocsin_event* event) const { tocsin_event_free(event); }
};
using Client = std::unique_ptr<tocsin_client, Give>;
using Event = std::unique_ptr<tocsin_event, Give>;

constexpr int deadline_ms = 10'000;
constexpr double milli = 1'000.0; // zones count in thousandths of a degree

Event hot(const std::string& zone, double degrees, double limit) {
    Event event(tocsin_event_new("temperature.high", "temperature"));
    tocsin_event_set_text(event.get(), "severity", degrees >= limit + 10 ? "critical" : "warning");
    tocsin_event_set_text(event.get(), "event_rule", ("degrees >= " + std::to_string(limit)).c_str());
    tocsin_event_add_text(event.get(), "zone", zone.c_str());
    tocsin_event_add_real(event.get(), "degrees", degrees);
    return event; // what was wrong with one of these is said when it is submitted
}

std::vector<Event> look(const std::filesystem::path& folder, double limit) {
    std::vector<Event> found;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        double value = 0;
        std::string name = entry.path().filename().string();
        if (std::ifstream(entry.path() / "temp") >> value && value / milli >= limit) {
            std::ifstream(entry.path() / "type") >> name;
            found.push_back(hot(name, value / milli, limit));
        }
    }
    return found;
}

int failed(const Client& client, int code) {
    const tocsin_result* last = tocsin_last(client.get());
    std::cerr << "temperature: " << tocsin_code_name(code) << ": " << tocsin_result_message(last) << '\n';
    return -code;
}

} // namespace

int main(int argc, char** argv) {
    const double limit = argc > 1 ? std::strtod(argv[1], nullptr) : 0;
    if (limit <= 0) {
        std::cerr << "usage: temperature LIMIT [FOLDER]\n";
        return 2;
    }
    tocsin_client* opened = nullptr;
    if (const int code = tocsin_open(&opened, nullptr); code != TOCSIN_OK) {
        return -code;
    }
    const Client client(opened);
    const std::vector<Event> events = look(argc > 2 ? argv[2] : "/sys/class/thermal", limit);
    std::vector<const tocsin_event*> batch;
    for (const Event& event : events) {
        batch.push_back(event.get());
    }
    if (!batch.empty()) {
        const int code = tocsin_submit_batch(client.get(), batch.data(), batch.size(), deadline_ms, nullptr);
        if (code != TOCSIN_OK) {
            return failed(client, code);
        }
    }
    // The timer runs it every minute; two missed ones and Tocsin says that nobody looks any more.
    tocsin_beat_options options = TOCSIN_BEAT_OPTIONS_INIT;
    options.interval_us = 120'000'000;
    const int code = tocsin_beat(client.get(), "temperature", &options, deadline_ms);
    return code == TOCSIN_OK ? 0 : failed(client, code);
}
