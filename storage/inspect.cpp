// SPDX-License-Identifier: Apache-2.0
#include "storage/inspect.hpp"

#include "core/ports.hpp"
#include "storage/backup_mark.hpp"
#include "storage/counters.hpp"
#include "storage/file_io.hpp"
#include "storage/idempotency.hpp"
#include "storage/keys.hpp"
#include "storage/log_reader.hpp"
#include "storage/page_check.hpp"
#include "storage/schema.hpp"
#include "storage/sealed_check.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <system_error>
#include <utility>

namespace tocsin::storage {

namespace {

constexpr std::uint64_t progress_events = 10'000;

std::string spell(std::uint64_t number) {
    return std::to_string(number);
}

// What is told while it is read.
struct Look {
    const std::function<void(const Event&)>& each;
    const Progress& progress;
};

class Inspector {
public:
    Inspector(const Txn& txn, const StoreMeta& meta, Inspection& report, Problems& problems, const Look& look)
        : txn_(txn), meta_(meta), report_(report), problems_(problems), look_(look), keys_(meta.store_id, 0) {
        report_.store_id = to_hex(meta.identity);
        report_.checkpoint = meta.checkpoint;
    }

    Result<void> run() {
        for (const auto check : {&Inspector::read_blocks, &Inspector::read_sealed, &Inspector::read_log,
                                 &Inspector::compare_blocks, &Inspector::read_archive, &Inspector::compare_counters,
                                 &Inspector::compare_totals, &Inspector::check_state}) {
            if (auto done = (this->*check)(); !done) {
                return std::unexpected(done.error());
            }
        }
        return {};
    }

private:
    void wrong(std::string what) { problems_.add(std::move(what)); }

    // ---- blocks ----

    Result<void> read_blocks() {
        const auto expired = read_count(txn_, Tree::meta, meta::expired);
        if (!expired) {
            return std::unexpected(expired.error());
        }
        report_.expired = *expired;
        Cursor cursor(txn_, Tree::blocks);
        auto found = cursor.first();
        for (; found && *found; found = cursor.next()) {
            const auto block = decode_block((*found)->key, (*found)->value);
            if (!block) {
                wrong(block.error().detail());
                continue;
            }
            const std::uint64_t next = blocks_.empty() ? 0 : blocks_.back().last + 1;
            // Between two blocks there may be others of which nothing is left.
            if (next != 0 && (block->first < next || (block->first != next && report_.expired == 0))) {
                wrong("block " + spell(block->first) + " does not follow the one that ends at " + spell(next - 1));
            }
            blocks_.push_back(*block);
        }
        if (!found) {
            return std::unexpected(found.error());
        }
        const std::uint64_t last = blocks_.empty() ? 0 : blocks_.back().last;
        if (last > meta_.checkpoint || (last < meta_.checkpoint && report_.expired == 0)) {
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
        if (meta_.sealed != 0 && report_.expired == 0 && std::ranges::none_of(blocks_, ends)) {
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
            const std::uint64_t before = std::max(report_.last, meta_.sealed);
            if (before != 0 && *first != before + 1) {
                wrong("event " + spell(before + 1) + " should come next in the log, but " + spell(*first) + " does");
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
        report_.last = std::max(report_.last, meta_.sealed);
        if (report_.last < meta_.checkpoint) {
            wrong("events up to " + spell(meta_.checkpoint) + " were counted, the log ends at " + spell(report_.last));
        }
        if (report_.last != 0 && report_.count + report_.expired != report_.last) {
            wrong("of " + spell(report_.last) + " events " + spell(report_.count) + " are stored and " +
                  spell(report_.expired) + " have expired");
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
        if (look_.each) {
            look_.each(event);
        }
        if (look_.progress && report_.count % progress_events == 0) {
            look_.progress("events", report_.count, 0);
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
        block.summary.alive = block.summary.events == 0 ? event.unique_index : block.summary.alive;
        block.summary.events += 1;
        ++block.summary.by_severity[static_cast<std::size_t>(event.severity)];
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
            if (!fits(block, again.summary)) {
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
            const bool right = is_whole(block) ? *stored == again.keys : std::ranges::includes(*stored, again.keys);
            if (!sorted || !right) {
                wrong("block " + spell(block.first) + ": its idempotency keys do not fit its events");
            }
        }
        return {};
    }

    static bool is_whole(const BlockSummary& block) { return block.events == block.last - block.first + 1; }

    // Of what has expired its times and keys are still in the summary; holdings are an estimate from then on.
    static bool fits(const BlockSummary& stored, const BlockSummary& counted) {
        BlockSummary wanted = counted;
        wanted.holdings = stored.holdings;
        wanted.removed = stored.removed;
        const bool older = std::ranges::all_of(stored.by_severity,
                                               [&stored](std::uint64_t events) { return events == stored.events; });
        wanted.by_severity = is_whole(stored) && older ? stored.by_severity : counted.by_severity;
        if (is_whole(stored)) {
            return stored == wanted;
        }
        const bool around =
            counted.events == 0 ||
            (stored.min_event_us <= counted.min_event_us && stored.max_event_us >= counted.max_event_us &&
             stored.min_received_us <= counted.min_received_us && stored.max_received_us >= counted.max_received_us);
        const std::uint64_t gone = stored.last - stored.first + 1 - stored.events;
        return around && stored.events == counted.events && stored.by_severity == wanted.by_severity &&
               stored.removed <= gone && stored.keys >= counted.keys &&
               (counted.events == 0 || stored.alive == counted.alive);
    }

    // What has expired counts as what is stored does: in the archive, or in the totals of what that has forgotten.
    Result<void> read_archive() {
        Cursor cursor(txn_, Tree::archive);
        auto found = cursor.first();
        for (; found && *found; found = cursor.next()) {
            const std::string_view key = (*found)->key;
            const std::uint64_t sum = read_fixed<std::uint64_t>((*found)->value).value_or(0);
            const char dimension = key.size() > sizeof(std::uint32_t) ? key[sizeof(std::uint32_t)] : ' ';
            const std::string_view value = key.substr(std::min(key.size(), sizeof(std::uint32_t) + 1));
            if (dimension == static_cast<char>(Dimension::name)) {
                by_hour_[std::string(key)] += sum;
                totals_[total_key(Dimension::name, value)] += sum;
            } else if (dimension == static_cast<char>(Dimension::severity) && value.size() == 1) {
                totals_[total_key(Dimension::severity, to_string(static_cast<Severity>(value.front())))] += sum;
            }
        }
        if (!found) {
            return std::unexpected(found.error());
        }
        for (const Dimension dimension : {Dimension::name, Dimension::severity}) {
            const std::string head = forgotten_key(dimension, {});
            Cursor totals(txn_, Tree::totals);
            for (found = totals.at_or_after(head); found && *found && (*found)->key.starts_with(head);
                 found = totals.next()) {
                const std::uint64_t sum = read_fixed<std::uint64_t>((*found)->value).value_or(0);
                totals_[total_key(dimension, (*found)->key.substr(head.size()))] += sum;
                totals_[std::string((*found)->key)] = sum;
            }
            if (!found) {
                return std::unexpected(found.error());
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
    Inspection& report_;
    Problems& problems_;
    const Look& look_;
    Idempotency keys_;
    Blocks blocks_{};
    std::map<std::uint64_t, Recounted> recounted_{};
    std::map<std::string, std::uint64_t> by_hour_{};
    std::map<std::string, std::uint64_t> totals_{};
};

Result<void> inspect_records(const std::filesystem::path& file, Inspection& report, Problems& problems,
                             const Look& look) {
    const auto env = Env::open({.directory = file.parent_path(), .file = file});
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
    return Inspector(*txn, *meta, report, problems, look).run();
}

// data.mdb in what was named, or that itself; and the directory whose daemon must not run.
struct Place {
    std::filesystem::path file{};
    std::optional<std::filesystem::path> store{};
};

Result<Place> find_store(const std::filesystem::path& path) {
    std::error_code error;
    if (std::filesystem::is_regular_file(path, error)) {
        return Place{.file = path};
    }
    for (const auto& directory : {path, path / "store"}) {
        if (std::filesystem::exists(directory / "data.mdb", error)) {
            Place place{.file = directory / "data.mdb"};
            if (std::filesystem::exists(directory / "lock", error)) { // a daemon has had it: no backup's
                place.store = directory;
            }
            return place;
        }
    }
    return fail(Code::not_found, "verify", path.string(), "there is no store and no backup");
}

// Whether there is one.
Result<bool> check_mark(int file, Inspection& report, Problems& problems) {
    const auto mark = read_mark(file);
    if (!mark || !*mark) {
        return mark ? Result<bool>(false) : std::unexpected(mark.error());
    }
    report.bytes = (*mark)->bytes;
    report.made_us = (*mark)->made_us;
    const auto fits = fits_mark(file, **mark);
    if (!fits) {
        return std::unexpected(fits.error());
    }
    if (!*fits) {
        problems.add("the backup's bytes are not those that were written: its checksum is wrong");
    }
    return true;
}

} // namespace

Result<Inspection> inspect(const std::filesystem::path& path, const std::function<void(const Event&)>& each,
                           const Progress& progress) {
    const auto place = find_store(path);
    if (!place) {
        return std::unexpected(place.error());
    }
    std::optional<DirectoryLock> lock;
    if (place->store) {
        auto taken = DirectoryLock::take(*place->store);
        if (!taken) {
            return std::unexpected(taken.error());
        }
        lock.emplace(std::move(*taken));
    }
    const Fd file(::open(place->file.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status{};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
        return fail(errno == EACCES ? Code::not_authorized : Code::unavailable, "verify", place->file.string(),
                    std::generic_category().message(errno));
    }
    Inspection report;
    Problems problems;
    report.bytes = static_cast<std::uint64_t>(status.st_size);
    const auto marked = check_mark(file.get(), report, problems);
    if (!marked) {
        return std::unexpected(marked.error());
    }
    const FileEnd ends = *marked || place->store ? FileEnd::as_written : FileEnd::complete;
    const std::uint64_t before = problems.count;
    const auto pages = check_pages(file.get(), report.bytes, ends, problems, progress);
    if (!pages) {
        return std::unexpected(pages.error());
    }
    report.pages_used = pages->used;
    report.pages_free = pages->free;
    if (problems.count == before) { // LMDB trusts its pages
        auto read = inspect_records(place->file, report, problems, {each, progress});
        if (!read && read.error().code != Code::unavailable) {
            return std::unexpected(read.error());
        }
        if (!read) {
            problems.add(read.error().detail());
        }
    }
    report.problem_count = problems.count;
    report.problems = std::move(problems.told);
    return report;
}

Result<WholeBackup> check_backup(int file) {
    const auto mark = read_mark(file);
    if (!mark) {
        return std::unexpected(mark.error());
    }
    if (!*mark) {
        return fail(Code::unavailable, "backup", "", "the copy broke off before its end; the daemon's log says why");
    }
    const auto fits = fits_mark(file, **mark);
    if (!fits) {
        return std::unexpected(fits.error());
    }
    if (!*fits) {
        return fail(Code::unavailable, "backup", "",
                    "what was written is not what the daemon sent; is the disk sound?");
    }
    return WholeBackup{
        .bytes = (*mark)->bytes + mark_bytes, .last_index = (*mark)->last_index, .made_us = (*mark)->made_us};
}

} // namespace tocsin::storage
