// SPDX-License-Identifier: Apache-2.0
// What an export holds, as what a sender may say: NDJSON or CSV in, lines for the daemon out, one for each line of the
// file, so that its complaints name the right one. Fields that the daemon sets itself are left out, and so are its own
// events; an event without an idempotency key gets one made of what it is, so that a file that is imported again is
// known.
#pragma once

#include "cli/csv_reader.hpp"
#include "core/json.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::cli {

enum class ImportFormat : std::uint8_t { ndjson, csv };

struct ImportRules {
    ImportFormat format = ImportFormat::ndjson;
    bool keys = true;    // make keys where there is none
    bool scripts = true; // keep spark_script, which asks for its script again
};

class ImportLines {
public:
    explicit ImportLines(ImportRules rules) : rules_(rules) {}

    // Appends what is whole by now.
    Result<void> take(std::string_view bytes, std::string& lines);
    Result<void> finish(std::string& lines);
    std::uint64_t left_out() const { return left_out_; } // events of the daemon's own

private:
    Result<void> take_row(const CsvRow& row, std::string& lines);
    void take_line(std::string_view line, std::string& lines);
    std::string event_of_row(const CsvRow& row) const;

    ImportRules rules_;
    json::Parser parser_{};
    CsvReader csv_{};
    std::vector<std::string> columns_{};
    std::string rest_{}; // of a line that is not whole
    std::uint64_t line_ = 0;
    std::uint64_t left_out_ = 0;
};

} // namespace tocsin::cli
