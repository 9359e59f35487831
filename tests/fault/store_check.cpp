// SPDX-License-Identifier: Apache-2.0
// store_check [--list] DIRECTORY: reads a closed store from end to end and compares it with itself. JSON lines on
// stdout: with
// --list one for each event, then one that sums up. Exit status 1 when something is wrong, 2 for wrong usage.
#include "core/json.hpp"
#include "storage/inspect.hpp"

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using tocsin::Event;
using tocsin::json::ObjectWriter;

void print(const std::string& line) {
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fputc('\n', stdout);
}

void print_event(const Event& event) {
    std::string line;
    ObjectWriter object(line);
    object.add("unique_index", event.unique_index);
    object.add("event_name", std::string_view(event.event_name));
    object.add("event_src", std::string_view(event.event_src));
    object.add("idempotency_key", std::string_view(event.idempotency_key));
    object.add("payload", std::string_view(event.payload));
    object.close();
    print(line);
}

std::string json_array(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const std::string& text : texts) {
        out += out.size() > 1 ? "," : "";
        tocsin::json::append_string(out, text);
    }
    return out + "]";
}

int report(const tocsin::storage::Inspection& seen) {
    std::string line;
    ObjectWriter object(line);
    object.add("store_id", std::string_view(seen.store_id));
    object.add("first", seen.first);
    object.add("last", seen.last);
    object.add("count", seen.count);
    object.add("checkpoint", seen.checkpoint);
    object.add("problem_count", seen.problem_count);
    const std::string problems = json_array(seen.problems);
    object.add("problems", tocsin::RawJson{problems});
    object.close();
    print(line);
    return seen.problem_count == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    const std::vector<std::string_view> arguments(argv + 1, argv + argc);
    const bool list = !arguments.empty() && arguments.front() == "--list";
    if (arguments.size() != (list ? 2U : 1U)) {
        std::fputs("usage: store_check [--list] DIRECTORY\n", stderr);
        return 2;
    }
    const auto seen =
        tocsin::storage::inspect(arguments.back(), list ? print_event : std::function<void(const Event&)>{});
    if (!seen) {
        std::string line;
        ObjectWriter object(line);
        const std::string problems = json_array({seen.error().detail()});
        object.add("problems", tocsin::RawJson{problems});
        object.close();
        print(line);
        return 1;
    }
    return report(*seen);
}
