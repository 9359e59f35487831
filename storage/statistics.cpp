// SPDX-License-Identifier: Apache-2.0
#include "storage/statistics.hpp"

#include "core/hash.hpp"
#include "storage/archived_part.hpp"
#include "storage/block_build.hpp"
#include "storage/counters.hpp"
#include "storage/grouping.hpp"
#include "storage/keys.hpp"
#include "storage/one_dimension.hpp"
#include "storage/schema.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace tocsin::storage {

namespace {

constexpr char name_mark = '.';         // in a cursor: the name stands behind it
constexpr unsigned begun_anew_max = 16; // a count that events expire under

constexpr std::array<Dimension, 9> dimension_of = {Dimension::name,     Dimension::source,      Dimension::scid,
                                                   Dimension::severity, Dimension::environment, Dimension::rule,
                                                   Dimension::type,     Dimension::dataset,     Dimension::host};

std::string as_text(Dimension dimension, const std::string& value) {
    switch (dimension) {
    case Dimension::scid:
    case Dimension::rule:
        return value.empty() ? std::string{} : std::to_string(read_number(value));
    case Dimension::severity:
        return std::string(to_string(static_cast<Severity>(value.front())));
    case Dimension::type:
        return std::string(to_string(static_cast<EventType>(value.front())));
    default:
        return value;
    }
}

// A question that a scan answers, within its bounds.
template <typename T> class Tallied : public Asked<T> {
public:
    Tallied(const Post& post, QueryBounds bounds, Filter filter, Done<T> done)
        : Asked<T>(post, std::move(done)), bounds_(bounds), filter_(std::move(filter)) {}

    bool step(ReadContext& context) override {
        const auto start = std::chrono::steady_clock::now();
        auto done = scan_ ? Result<bool>(true) : begin(context);
        done = done ? scan_->step(context, *grouping_) : done;
        used_ += std::chrono::steady_clock::now() - start;
        if (!done) {
            this->answer(std::unexpected(done.error()));
            return true;
        }
        if (*done) {
            grouping_->settle();
        }
        if (*done && archived_) {
            done = add_archived(context);
            if (!done) {
                this->answer(std::unexpected(done.error()));
                return true;
            }
        }
        if (auto refused = look(*grouping_)) {
            this->answer(std::unexpected(std::move(*refused)));
            return true;
        }
        if (*done) {
            this->answer(result(*grouping_));
        } else if (used_ > std::chrono::microseconds(bounds_.query_us_max)) {
            this->answer(std::unexpected(too_long()));
            return true;
        }
        return *done;
    }

protected:
    const Filter& filter() const { return filter_; }
    // Makes what is collected; `last` may be made lower.
    virtual Result<std::unique_ptr<Grouping>> make(std::uint64_t& last) = 0;
    virtual std::optional<ArchivedPart> archived() const = 0;
    virtual std::optional<Error> look(const Grouping&) { return std::nullopt; }
    virtual T result(const Grouping& grouping) = 0;

private:
    Result<bool> begin(ReadContext& context) {
        archived_ = archived();
        const auto txn = Txn::read(context.env);
        const auto expired = txn ? read_count(*txn, Tree::meta, meta::expired) : std::unexpected(txn.error());
        if (!expired) {
            return std::unexpected(expired.error());
        }
        expired_ = *expired;
        const View view = context.publisher.take();
        std::uint64_t last = view.last;
        auto made = make(last);
        if (!made) {
            return std::unexpected(made.error());
        }
        grouping_ = std::move(*made);
        scan_.emplace(filter_, view, Order::index, Scan::Part{.after = 0, .upto = last});
        if (grouping_->one()) {
            scan_->use_counts(*grouping_->one());
        }
        return true;
    }

    // What is stored was counted; what has expired is added, unless something expired meanwhile, which may have been
    // counted or not: then all begins anew.
    Result<bool> add_archived(ReadContext& context) {
        const auto txn = Txn::read(context.env);
        const auto expired = txn ? read_count(*txn, Tree::meta, meta::expired) : std::unexpected(txn.error());
        if (!expired) {
            return std::unexpected(expired.error());
        }
        if (*expired == expired_) {
            const auto added = archived_->add_to(*txn, *grouping_);
            return added ? Result<bool>(true) : std::unexpected(added.error());
        }
        if (++begun_anew_ > begun_anew_max) {
            return fail(Code::unavailable, "statistics", "", "older events are going just now; ask again");
        }
        scan_.reset();
        return false;
    }

    QueryBounds bounds_;
    Filter filter_;
    std::optional<ArchivedPart> archived_{};
    std::uint64_t expired_ = 0; // events that were gone when the count began
    unsigned begun_anew_ = 0;
    std::unique_ptr<Grouping> grouping_{};
    std::optional<Scan> scan_{};
    std::chrono::steady_clock::duration used_{};
};

// ---- totals ----

class TotalsQuery final : public Tallied<Totals> {
public:
    TotalsQuery(const Post& post, QueryBounds bounds, Filter filter, std::vector<GroupKey> by, Done<Totals> done)
        : Tallied(post, bounds, std::move(filter), std::move(done)) {
        std::ranges::transform(by, std::back_inserter(by_),
                               [](GroupKey key) { return dimension_of[static_cast<std::size_t>(key)]; });
    }

private:
    Result<std::unique_ptr<Grouping>> make(std::uint64_t&) override {
        return std::make_unique<Grouping>(filter(), by_, limits::totals_max);
    }

    std::optional<ArchivedPart> archived() const override { return ArchivedPart::of(filter(), by_); }

    std::optional<Error> look(const Grouping& grouping) override {
        if (!grouping.overflowed()) {
            return std::nullopt;
        }
        return fail(Code::limit_exceeded, "statistics", "group_by",
                    "gives more than " + std::to_string(limits::totals_max) +
                        " rows; narrow the filter, or group by fewer keys")
            .error();
    }

    Totals result(const Grouping& grouping) override {
        Totals out;
        for (const auto& [key, count] : grouping.sums()) {
            TotalsRow row{.count = count};
            for (std::size_t i = 0; i < by_.size(); ++i) {
                row.values.push_back(as_text(by_[i], key[i]));
            }
            out.push_back(std::move(row));
        }
        std::ranges::stable_sort(out, std::ranges::greater{}, &TotalsRow::count);
        return out;
    }

    std::vector<Dimension> by_{};
};

// ---- by hour ----

// Where a page of hours ended: a cursor whose filter hash covers the name that follows.
struct HourCursor {
    std::int64_t hour_us = 0;
    std::string name{};
    std::uint64_t snapshot = 0;

    std::string encode(std::uint64_t filter_hash) const {
        const PageCursor cursor{hour_us, 0, snapshot, hash_mix(filter_hash, hash64(name))};
        return cursor.encode() + name_mark + to_hex(name);
    }
    static Result<HourCursor> decode(std::string_view text, std::uint64_t filter_hash) {
        const std::size_t mark = std::min(text.find(name_mark), text.size());
        const std::string name = from_hex(text.substr(std::min(mark + 1, text.size())));
        const auto cursor = PageCursor::decode(text.substr(0, mark), hash_mix(filter_hash, hash64(name)));
        if (!cursor) {
            return std::unexpected(cursor.error());
        }
        return HourCursor{cursor->time_us, name, cursor->snapshot};
    }
};

// The hours of one name, all of them on one page: kept as they are asked, for the day of a name and for this.
class NameHours {
public:
    // None where the question is another one.
    static std::optional<NameHours> of(const PageRequest& request) {
        const auto name = only_value(request.filter, Dimension::name);
        const auto one = OneDimension::of(request.filter, Dimension::name);
        const std::int64_t since_us = request.filter.since_us.value_or(0);
        const std::int64_t until_us = request.filter.until_us.value_or(0);
        const bool whole = since_us % hour_us == 0 && until_us % hour_us == 0 && since_us < until_us;
        if (!name || !one || !request.cursor.empty() || !whole ||
            std::cmp_greater((until_us - since_us) / hour_us, limits::page_max) ||
            std::cmp_greater((until_us - since_us) / hour_us, request.limit)) {
            return std::nullopt;
        }
        return NameHours(*name, one->whole_hours());
    }
    Result<HourPage> read(ReadContext& context) const {
        const auto at = consistent(context.env, context.publisher);
        if (!at) {
            return std::unexpected(at.error());
        }
        const auto counts = count_by_hour(at->second, at->first, name_, hours_);
        if (!counts) {
            return std::unexpected(counts.error());
        }
        HourPage page;
        for (const auto& [hour, count] : *counts) {
            page.rows.push_back({static_cast<std::int64_t>(hour) * hour_us, name_, count});
        }
        return page;
    }

private:
    NameHours(std::string name, std::pair<std::uint32_t, std::uint32_t> hours)
        : name_(std::move(name)), hours_(hours) {}
    std::string name_;
    std::pair<std::uint32_t, std::uint32_t> hours_;
};

class HourlyQuery final : public Tallied<HourPage> {
public:
    HourlyQuery(const Post& post, QueryBounds bounds, PageRequest request, Done<HourPage> done)
        : Tallied(post, bounds, request.filter, std::move(done)),
          name_hours_(NameHours::of(request)),
          limit_(std::clamp<std::size_t>(request.limit, 1, limits::page_max)),
          cursor_(std::move(request.cursor)) {}

    bool step(ReadContext& context) override {
        if (!name_hours_) {
            return Tallied::step(context);
        }
        answer(name_hours_->read(context));
        return true;
    }

private:
    Result<std::unique_ptr<Grouping>> make(std::uint64_t& last) override {
        std::optional<Grouping::Key> after;
        if (!cursor_.empty()) {
            const auto cursor = HourCursor::decode(cursor_, filter().hash());
            if (!cursor) {
                return std::unexpected(cursor.error());
            }
            after = {hour_value(hour_of(cursor->hour_us)), cursor->name};
            last = std::min(last, cursor->snapshot);
        }
        snapshot_ = last;
        return std::make_unique<Grouping>(filter(), std::vector{Dimension::hour, Dimension::name}, limit_ + 1,
                                          std::move(after));
    }

    std::optional<ArchivedPart> archived() const override {
        return ArchivedPart::of(filter(), {Dimension::hour, Dimension::name});
    }

    HourPage result(const Grouping& grouping) override {
        HourPage page;
        for (const auto& [key, count] : grouping.sums()) {
            if (page.rows.size() == limit_) {
                const HourRow& row = page.rows.back();
                page.next = HourCursor{row.hour_us, row.event_name, snapshot_}.encode(filter().hash());
                break;
            }
            const auto hour = read_fixed<std::uint32_t>(key[0]).value_or(0);
            page.rows.push_back({static_cast<std::int64_t>(hour) * hour_us, key[1], count});
        }
        return page;
    }

    std::optional<NameHours> name_hours_;
    std::size_t limit_;
    std::string cursor_;
    std::uint64_t snapshot_ = 0;
};

// ---- a day ----

class Histogram final : public Asked<DayCounts> {
public:
    Histogram(const Post& post, std::string name, std::int64_t day_us, Done<DayCounts> done)
        : Asked(post, std::move(done)), name_(std::move(name)), first_(hour_of(day_us)) {}

    bool step(ReadContext& context) override {
        answer(count(context));
        return true;
    }

private:
    Result<DayCounts> count(ReadContext& context) const {
        DayCounts out{};
        const auto at = consistent(context.env, context.publisher);
        if (!at) {
            return std::unexpected(at.error());
        }
        const auto counts = count_by_hour(at->second, at->first, name_, {first_, first_ + out.size()});
        if (!counts) {
            return std::unexpected(counts.error());
        }
        for (const auto& [hour, count] : *counts) {
            out.at(hour - first_) = count;
        }
        return out;
    }

    std::string name_;
    std::uint32_t first_;
};

} // namespace

std::unique_ptr<Task> totals_task(const Post& post, QueryBounds bounds, Filter filter, std::vector<GroupKey> by,
                                  Done<Totals> done) {
    return std::make_unique<TotalsQuery>(post, bounds, std::move(filter), std::move(by), std::move(done));
}

std::unique_ptr<Task> hourly_task(const Post& post, QueryBounds bounds, PageRequest request, Done<HourPage> done) {
    return std::make_unique<HourlyQuery>(post, bounds, std::move(request), std::move(done));
}

std::unique_ptr<Task> histogram_task(const Post& post, std::string event_name, std::int64_t day_us,
                                     Done<DayCounts> done) {
    return std::make_unique<Histogram>(post, std::move(event_name), day_us, std::move(done));
}

} // namespace tocsin::storage
