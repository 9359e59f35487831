// SPDX-License-Identifier: Apache-2.0
#include "storage/log_reader.hpp"

#include "core/ports.hpp"
#include "storage/counters.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

namespace tocsin::storage {

Result<bool> LogReader::open(const Cursor::Found& found) {
    if (!found) {
        return std::unexpected(found.error());
    }
    if (!*found) {
        return false;
    }
    const auto first = read_fixed<std::uint64_t>((*found)->key);
    if (!first) {
        return fail(Code::unavailable, "read", "log", "a key is damaged; restore a backup");
    }
    if (auto opened = chunk_.open((*found)->value, *first); !opened) {
        return std::unexpected(opened.error());
    }
    return true;
}

Result<bool> LogReader::at_or_before(std::uint64_t index) {
    if (chunk_.holds(index)) {
        return true;
    }
    return open(cursor_.at_or_before(index_key(index)));
}

Result<bool> LogReader::at_or_after(std::uint64_t index) {
    auto before = at_or_before(index);
    if (!before || (*before && chunk_.holds(index))) {
        return before;
    }
    return open(cursor_.at_or_after(index_key(index)));
}

Result<std::uint64_t> LogReader::sealed() {
    if (!sealed_) {
        const auto last = read_count(txn_, Tree::meta, meta::sealed);
        if (!last) {
            return last;
        }
        sealed_ = *last;
    }
    return *sealed_;
}

Result<bool> LogReader::find_sealed(std::uint64_t index) {
    if (!records_) {
        records_.emplace(txn_, Tree::records);
    }
    const auto found = records_->at_or_before(index_key(index));
    if (!found) {
        return std::unexpected(found.error());
    }
    chunk_.close(); // its bytes may be what is overwritten
    return *found ? open_group((*found)->key, (*found)->value, index, group_, chunk_) : Result<bool>(false);
}

Result<bool> LogReader::find_alive(std::uint64_t index) {
    const auto dead = dead_.is_dead(index);
    if (!dead || *dead) {
        return dead ? Result<bool>(false) : dead;
    }
    return chunk_.holds(index) ? Result<bool>(true) : find_sealed(index);
}

Result<bool> LogReader::find(std::uint64_t index) {
    const auto last = sealed();
    if (!last) {
        return std::unexpected(last.error());
    }
    if (index <= *last) {
        return find_alive(index);
    }
    auto there = at_or_before(index);
    return there ? Result<bool>(*there && chunk_.holds(index)) : there;
}

Result<Event> LogReader::event(std::uint64_t index) {
    const auto there = find(index);
    if (!there) {
        return std::unexpected(there.error());
    }
    if (!*there) {
        return fail(Code::not_found, "read", "event " + std::to_string(index), "there is no such event");
    }
    if (auto read = chunk_.read_columns(); !read) {
        return std::unexpected(read.error());
    }
    auto event = chunk_.event(static_cast<std::size_t>(index - chunk_.first()));
    if (event) {
        if (auto joined = join_report(txn_, *event); !joined) {
            return std::unexpected(joined.error());
        }
    }
    return event;
}

Result<void> join_report(const Txn& txn, Event& event) {
    auto row = txn.get(Tree::reports, report_key(event.unique_index));
    if (!row) {
        return std::unexpected(row.error());
    }
    if (!*row) {
        if (!event.spark_script.empty()) {
            event.spark_report_id = -1; // asked, not done
        }
        return {};
    }
    auto report = decode_report(**row);
    if (!report) {
        return std::unexpected(report.error());
    }
    event.spark_report_id = report->first;
    event.spark_report_url = std::move(report->second);
    return {};
}

} // namespace tocsin::storage
