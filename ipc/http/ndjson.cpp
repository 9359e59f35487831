// SPDX-License-Identifier: Apache-2.0
// NDJSON of any length in bounded memory: lines are read into events as they arrive; a chunk of them is submitted all
// or nothing. While it becomes durable the next one is read, but not submitted, so that chunks are kept in order;
// nothing more is read than that. The first bad line ends the body; earlier chunks stay.
#include "ipc/http/application.hpp"
#include "ipc/http/problem.hpp"
#include "ipc/http/resources.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tocsin::ipc::http {
namespace {

constexpr std::size_t long_body_bytes = 16 * limits::KiB; // in one piece: more is to come
constexpr std::size_t long_body_events = 1'024;

// The lines of pieces that end anywhere.
class LineReader {
public:
    explicit LineReader(std::size_t bytes_max) : bytes_max_(bytes_max) {}
    void feed(std::string_view piece) { piece_ = piece; }
    // nullopt: the piece is used up. The line stays until the next call.
    std::optional<std::string_view> next() {
        if (std::exchange(partial_given_, false)) {
            partial_.clear();
        }
        const std::size_t end = piece_.find('\n');
        if (end == std::string_view::npos) {
            partial_ += piece_;
            piece_ = {};
            return std::nullopt;
        }
        const std::string_view line = piece_.substr(0, end);
        piece_.remove_prefix(end + 1);
        if (partial_.empty()) {
            return line;
        }
        partial_ += line;
        partial_given_ = true;
        return partial_;
    }
    // What stands behind the last newline.
    std::string_view last() const { return partial_given_ ? std::string_view{} : std::string_view(partial_); }
    bool too_long() const { return partial_.size() > bytes_max_; }

private:
    std::size_t bytes_max_;
    std::string_view piece_{};
    std::string partial_{};
    bool partial_given_ = false;
};

class NdjsonSink final : public BodySink, public std::enable_shared_from_this<NdjsonSink> {
public:
    NdjsonSink(Context& context, Origin origin, Responder responder)
        : context_(context),
          origin_(std::move(origin)),
          responder_(std::move(responder)),
          lines_(context.limits.line_bytes),
          share_(context.bodies) {}

    void take(std::string_view bytes, Continue ready) override {
        ready_.emplace(std::move(ready));
        if (events_.capacity() == 0 && bytes.size() > long_body_bytes) {
            events_.reserve(long_body_events);
        }
        lines_.feed(bytes);
        chunk_lines_max_ =
            std::min(context_.limits.chunk_lines, context_.services.intake.chunk_lines({origin_.uid, origin_.unit}));
        go_on();
    }
    void end() override {
        ended_ = true;
        go_on();
    }
    void broken(const Error& error) override {
        if (!over_) {
            refuse(error);
        }
    }

private:
    enum class Added : std::uint8_t { yes, chunk_full, failed };

    // Until the piece is used up, a chunk is full while another is under way (whose end calls here again), or something
    // is wrong.
    void go_on() {
        if (!take_lines()) {
            return;
        }
        if (lines_.too_long()) {
            failed(line_too_long());
        } else if (ended_) {
            finish();
        } else {
            tell(true);
        }
    }

    // Whether the piece is used up.
    bool take_lines() {
        while (auto line = held_ ? held_ : lines_.next()) {
            held_ = line;
            const Added added = add(*line);
            if (added == Added::yes) {
                held_.reset();
                continue;
            }
            const bool next = added == Added::chunk_full && !under_way_;
            if (next) {
                commit();
            }
            if (!next || over_) {
                return false;
            }
        }
        return true;
    }

    Added add(std::string_view line) {
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (line.find_first_not_of(" \t") == std::string_view::npos) {
            ++chunk_lines_;
            return Added::yes;
        }
        const Limits& limits = context_.limits;
        if (events_.size() >= chunk_lines_max_ ||
            (!events_.empty() && chunk_bytes_ + line.size() > limits.chunk_bytes)) {
            return Added::chunk_full;
        }
        const std::uint64_t number = line_number();
        if (line.size() > limits.line_bytes) {
            return failed(line_too_long());
        }
        if (!share_.grow_to(bytes_under_way_ + chunk_bytes_ + line.size())) {
            return failed({.code = Code::unavailable,
                           .context = "submit",
                           .object = {},
                           .reason = "too many bodies are being received at once; send the rest again"});
        }
        const auto read =
            context_.parser.append(events_, line, context_.services.intake.rules(), context_.clock.wall_us(), number);
        if (!read) {
            return failed(read.error());
        }
        events_.back().origin = origin_;
        event_lines_.push_back(number);
        chunk_bytes_ += line.size();
        ++chunk_lines_;
        return Added::yes;
    }

    void commit() {
        under_way_ = true;
        lines_under_way_ = std::exchange(chunk_lines_, 0);
        bytes_under_way_ = std::exchange(chunk_bytes_, 0);
        event_lines_under_way_ = std::exchange(event_lines_, {});
        auto done = [self = shared_from_this()](Result<Receipt> receipt) { self->after_commit(std::move(receipt)); };
        const std::size_t as_many = events_.size(); // the next chunk will have, most likely
        auto events = std::exchange(events_, {});
        if (!ended_) {
            events_.reserve(as_many);
        }
        context_.services.intake.submit(std::move(events), {origin_.uid, origin_.unit}, std::move(done));
    }

    void after_commit(Result<Receipt> receipt) {
        under_way_ = false;
        if (over_) {
            return; // the connection broke meanwhile
        }
        if (!receipt) {
            Error error = receipt.error();
            const auto& lines = event_lines_under_way_;
            for (FieldError& field : error.fields) { // positions in the chunk become lines of the body
                field.index = field.index < lines.size() ? lines[field.index] : field.index;
            }
            return refuse(std::move(error));
        }
        take_in(*receipt);
        progress_.accepted += std::exchange(lines_under_way_, 0);
        bytes_under_way_ = 0;
        share_.shrink_to(chunk_bytes_);
        failure_ ? refuse(std::move(*failure_)) : go_on();
    }

    // first and last are of the new events; of the known ones only where nothing was new.
    void take_in(const Receipt& receipt) {
        count_ += receipt.indexes.size();
        duplicates_ += receipt.duplicates;
        for (std::size_t i = 0; i < receipt.indexes.size(); ++i) {
            const std::uint64_t index = receipt.indexes[i];
            const bool known = i < receipt.duplicate.size() && receipt.duplicate[i];
            if (index == 0) {
                continue; // a beat
            }
            Progress& range = known ? known_range_ : progress_;
            range.first = range.first == 0 ? index : std::min(range.first, index);
            range.last = std::max(range.last, index);
        }
    }

    void finish() {
        if (under_way_) {
            return;
        }
        if (const std::string_view line = lines_.last(); !line.empty() && !std::exchange(last_added_, true)) {
            const Added added = add(line);
            if (added == Added::failed) {
                return;
            }
            if (added == Added::chunk_full) {
                last_added_ = false;
                return commit();
            }
        }
        if (!events_.empty()) {
            return commit();
        }
        const Progress& range = progress_.first != 0 ? progress_ : known_range_;
        responder_.reply(json_reply(fmt::format(R"({{"count":{},"first":{},"last":{},"duplicates":{}}})", count_,
                                                range.first, range.last, duplicates_),
                                    201));
        over_ = true;
        tell(false);
    }

    // Of the line that is being added, counted from 0.
    std::uint64_t line_number() const { return progress_.accepted + lines_under_way_ + chunk_lines_; }

    Error line_too_long() const {
        return field_error("event", fmt::format("the line is larger than {} bytes", context_.limits.line_bytes),
                           line_number());
    }
    // Told when it is known what became of the chunk before it.
    Added failed(Error error) {
        if (under_way_) {
            failure_ = std::move(error);
        } else {
            refuse(std::move(error));
        }
        return Added::failed;
    }
    void refuse(Error error) {
        over_ = true;
        events_.clear();
        Progress told = progress_;
        if (told.first == 0) {
            told.first = known_range_.first;
            told.last = known_range_.last;
        }
        responder_.reply(problem(error, told));
        tell(false);
    }
    void tell(bool more) {
        if (auto ready = std::exchange(ready_, std::nullopt)) {
            (*ready)(more);
        }
    }

    Context& context_;
    Origin origin_;
    Responder responder_;
    LineReader lines_;
    Share share_;
    std::optional<Continue> ready_{};
    std::optional<std::string_view> held_{}; // read, waiting for room in a chunk
    bool ended_ = false;
    bool last_added_ = false;
    bool over_ = false;              // answered
    std::optional<Error> failure_{}; // of a line behind the chunk that is under way

    // The chunk that is being read.
    std::vector<Event> events_{};
    std::vector<std::uint64_t> event_lines_{}; // of each event its line, counted from 0
    std::uint64_t chunk_lines_ = 0;            // blank ones too
    std::size_t chunk_lines_max_ = 0;
    std::size_t chunk_bytes_ = 0;

    // The one that is being kept.
    bool under_way_ = false;
    std::vector<std::uint64_t> event_lines_under_way_{};
    std::uint64_t lines_under_way_ = 0;
    std::size_t bytes_under_way_ = 0;

    Progress progress_{};
    Progress known_range_{}; // of duplicates
    std::uint64_t count_ = 0;
    std::uint64_t duplicates_ = 0;
};

} // namespace

std::shared_ptr<BodySink> submit_ndjson(Context& context, const Request& request, Responder responder) {
    return std::make_shared<NdjsonSink>(context, request.peer->origin(), std::move(responder));
}

} // namespace tocsin::ipc::http
