// SPDX-License-Identifier: Apache-2.0
#include "storage/inspect.hpp"

#include "core/ports.hpp"
#include "storage/counters.hpp"
#include "storage/idempotency.hpp"
#include "storage/keys.hpp"
#include "storage/log_reader.hpp"
#include "storage/schema.hpp"
#include "storage/sealed_check.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace tocsin::storage {

namespace {

std::string spell(std::uint64_t number) {
    return std::to_string(number);
}

class Inspector {
public:
    Inspector(const Txn& txn, const StoreMeta& meta, const std::function<void(const Event&)>& each)
        : txn_(txn), meta_(meta), each_(each), keys_(meta.store_id, 0) {
        report_.store_id = to_hex(meta.store_id);
        report_.checkpoint = meta.checkpoint;
    }

    Result<Inspection> run() {
        for (const auto check :
             {&Inspector::read_blocks, &Inspector::read_sealed, &Inspector::read_log, &Inspector::compare_blocks,
              &Inspector::compare_counters, &Inspector::compare_totals, &Inspector::check_state}) {
            if (auto done = (this->*check)(); !done) {
                return std::unexpected(done.error());
            }
        }
        return std::move(report_);
    }

private:
    void wrong(std::string what) {
        ++report_.problem_count;
        if (report_.problems.size() < problems_max) {
            report_.problems.push_back(std::move(what));
        }
    }

    // ---- blocks ----

    Result<void> read_blocks() {
        Cursor cursor(txn_, Tree::blocks);
        auto found = cursor.first();
        for (; found && *found; found = cursor.next()) {
            const auto block = decode_block((*found)->key, (*found)->value);
            if (!block) {
                wrong(block.error().detail());
                continue;
            }
            if (!blocks_.empty() && block->first != blocks_.back().last + 1) {
                wrong("block " + spell(block->first) + " does not follow the one that ends at " +
                      spell(blocks_.back().last));
            }
            blocks_.push_back(*block);
        }
        if (!found) {
            return std::unexpected(found.error());
        }
        if (const std::uint64_t last = blocks_.empty() ? 0 : blocks_.back().last; last != meta_.checkpoint) {
            wrong("the checkpoint is " + spell(meta_.checkpoint) + ", the last block ends at " + spell(last));
        }
        return {};
    }

    // ---- sealed blocks ----

    Result<void> read_sealed() {
        const auto inside = [this](const BlockSummary& block) { return block.last <= meta_.sealed; };
        for (const BlockSummary& block : blocks_) {
            if (!inside(block)) {
                break;
            }
            auto checked = check_sealed(
                txn_, block, [this](const Event& event) { saw(event); },
                [this](std::string what) { wrong(std::move(what)); });
            if (!checked) {
                return checked;
            }
        }
        const auto ends = [this](const BlockSummary& block) { return block.last == meta_.sealed; };
        if (meta_.sealed != 0 && std::ranges::none_of(blocks_, ends)) {
            wrong("blocks are sealed up to " + spell(meta_.sealed) + ", where none ends");
        }
        return {};
    }

    // ---- log ----

    Result<void> read_log() {
        Cursor cursor(txn_, Tree::log);
        ChunkReader chunk;
        auto found = cursor.first();
        for (; found && *found; found = cursor.next()) {
            const auto first = read_fixed<std::uint64_t>((*found)->key);
            if (!first) {
                wrong("a key of the log has " + spell((*found)->key.size()) + " bytes");
                continue;
            }
            if (*first <= meta_.sealed) {
                continue; // about to be removed
            }
            if (report_.last != 0 && *first != report_.last + 1) {
                wrong("event " + spell(report_.last + 1) + " should come next in the log, but " + spell(*first) +
                      " does");
            }
            auto opened = chunk.open((*found)->value, *first);
            opened = opened ? chunk.read_columns() : opened;
            if (!opened) {
                wrong(opened.error().detail());
                continue;
            }
            read_chunk(chunk);
        }
        if (!found) {
            return std::unexpected(found.error());
        }
        if (report_.last < meta_.checkpoint) {
            wrong("events up to " + spell(meta_.checkpoint) + " were counted, the log ends at " + spell(report_.last));
        }
        return {};
    }

    void read_chunk(const ChunkReader& chunk) {
        for (std::size_t row = 0; row < chunk.count(); ++row) {
            const auto event = chunk.event(row);
            if (!event) {
                wrong(event.error().detail());
                continue;
            }
            if (event->event_time_us < chunk.min_us() || event->event_time_us > chunk.max_us()) {
                wrong("event " + spell(event->unique_index) + " lies outside of its value's time range");
            }
            saw(*event);
        }
    }

    void saw(const Event& event) {
        if (report_.first == 0) {
            report_.first = event.unique_index;
        }
        ++report_.count;
        report_.last = event.unique_index;
        if (event.unique_index <= meta_.checkpoint) {
            recount(event);
        }
        if (each_) {
            each_(event);
        }
    }

    void recount(const Event& event) {
        by_hour_[counter_key(hour_of(event.event_time_us), Dimension::name, event.event_name)] += event.count;
        totals_[total_key(Dimension::name, event.event_name)] += event.count;
        totals_[total_key(Dimension::severity, to_string(event.severity))] += event.count;
        const auto after = std::ranges::upper_bound(blocks_, event.unique_index, {},
                                                    [](const BlockSummary& block) { return block.first; });
        if (after == blocks_.begin() || std::prev(after)->last < event.unique_index) {
            wrong("event " + spell(event.unique_index) + " is counted but in no block");
            return;
        }
        Recounted& block = recounted_[std::prev(after)->first];
        block.summary.events += 1;
        block.summary.min_event_us = std::min(block.summary.min_event_us, event.event_time_us);
        block.summary.max_event_us = std::max(block.summary.max_event_us, event.event_time_us);
        block.summary.min_received_us = std::min(block.summary.min_received_us, event.received_time_us);
        block.summary.max_received_us = std::max(block.summary.max_received_us, event.received_time_us);
        if (!event.idempotency_key.empty()) {
            block.keys.push_back({keys_.fingerprint(event), event.unique_index});
        }
    }

    // ---- comparisons ----

    Result<void> compare_blocks() {
        for (const BlockSummary& block : blocks_) {
            Recounted& again = recounted_[block.first];
            again.summary.first = block.first;
            again.summary.last = block.last;
            again.summary.keys = again.keys.size();
            if (again.summary != block) {
                wrong("block " + spell(block.first) + ": its summary does not fit its events");
            }
            auto stored = read_keys(txn_, block.first);
            if (!stored) {
                wrong(stored.error().detail());
                continue;
            }
            const bool sorted = std::ranges::is_sorted(*stored);
            std::ranges::sort(*stored);
            std::ranges::sort(again.keys);
            if (!sorted || *stored != again.keys) {
                wrong("block " + spell(block.first) + ": its idempotency keys do not fit its events");
            }
        }
        return {};
    }

    Result<void> compare_counters() { return compare(Tree::counters, by_hour_); }
    Result<void> compare_totals() { return compare(Tree::totals, totals_); }

    Result<void> compare(Tree tree, std::map<std::string, std::uint64_t>& wanted) {
        Cursor cursor(txn_, tree);
        auto found = cursor.first();
        for (; found && *found; found = cursor.next()) {
            const std::string key((*found)->key);
            const auto number = read_fixed<std::uint64_t>((*found)->value);
            const auto there = wanted.find(key);
            if (!number || there == wanted.end() || there->second != *number) {
                wrong(std::string(tree_name(tree)) + " " + to_hex(key) + ": stored " +
                      (number ? spell(*number) : "nonsense") + ", counted " +
                      (there == wanted.end() ? "none" : spell(there->second)));
            }
            wanted.erase(key);
        }
        for (const auto& [key, number] : wanted) {
            wrong(std::string(tree_name(tree)) + " " + to_hex(key) + ": missing, counted " + spell(number));
        }
        return found ? Result<void>{} : std::unexpected(found.error());
    }

    Result<void> check_state() {
        Cursor cursors(txn_, Tree::cursors);
        auto found = cursors.first();
        for (; found && *found; found = cursors.next()) {
            const auto at = read_fixed<std::uint64_t>((*found)->value);
            if (!at || *at > report_.last) {
                wrong("cursor " + std::string((*found)->key) + " stands beyond the log");
            }
        }
        Cursor reports(txn_, Tree::reports);
        for (found = reports.first(); found && *found; found = reports.next()) {
            if (!decode_report((*found)->value)) {
                wrong("report " + to_hex((*found)->key) + " is damaged");
            }
        }
        return found ? Result<void>{} : std::unexpected(found.error());
    }

    struct Recounted {
        BlockSummary summary{};
        std::vector<KeyEntry> keys{};
    };
    const Txn& txn_;
    const StoreMeta& meta_;
    const std::function<void(const Event&)>& each_;
    Idempotency keys_;
    Inspection report_{};
    Blocks blocks_{};
    std::map<std::uint64_t, Recounted> recounted_{};
    std::map<std::string, std::uint64_t> by_hour_{};
    std::map<std::string, std::uint64_t> totals_{};
};

} // namespace

Result<Inspection> inspect(const std::filesystem::path& directory, const std::function<void(const Event&)>& each) {
    std::error_code error;
    if (!std::filesystem::exists(directory / "data.mdb", error)) {
        return fail(Code::not_found, "verify", directory.string(), "there is no store");
    }
    const auto lock = DirectoryLock::take(directory);
    if (!lock) {
        return std::unexpected(lock.error());
    }
    const auto env = Env::open({.directory = directory, .read_only = true});
    if (!env) {
        return std::unexpected(env.error());
    }
    for (std::size_t i = 0; i < tree_count; ++i) {
        const bool needed = i < tree_count_v1; // the others come with the first start of this version
        const auto there = (*env)->has_tree(static_cast<Tree>(i));
        if (!there) {
            return std::unexpected(there.error());
        }
        if (!*there && needed) {
            return fail(Code::unavailable, "verify", std::string(tree_name(static_cast<Tree>(i))),
                        "the tree is missing");
        }
    }
    const auto meta = read_meta(**env);
    if (!meta) {
        return std::unexpected(meta.error());
    }
    const auto txn = Txn::read(**env);
    if (!txn) {
        return std::unexpected(txn.error());
    }
    return Inspector(*txn, *meta, each).run();
}

} // namespace tocsin::storage
