// SPDX-License-Identifier: Apache-2.0
#include "storage/sealer.hpp"

#include "core/limits.hpp"
#include "storage/log_reader.hpp"

#include <exception>
#include <utility>

namespace tocsin::storage {

namespace {
constexpr std::size_t waiting_bytes_max = 4 * limits::MiB;
constexpr unsigned values_per_look = 8; // of the log, in one read transaction
} // namespace

void Sealer::start() {
    thread_ = std::thread(&Sealer::run, this);
}

void Sealer::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void Sealer::build(const BlockSummary& block) {
    drop();
    const std::scoped_lock lock(mutex_);
    wanted_ = block;
    wake_.notify_all();
}

void Sealer::drop() {
    const std::scoped_lock lock(mutex_);
    ++number_;
    wanted_.reset();
    rows_.clear();
    bytes_ = 0;
    whole_ = false;
    error_.reset();
    wake_.notify_all();
}

bool Sealer::has_something() const {
    const std::scoped_lock lock(mutex_);
    return !rows_.empty() || error_;
}

Sealer::Slice Sealer::take(std::size_t bytes) {
    const std::scoped_lock lock(mutex_);
    Slice slice;
    std::size_t taken = 0;
    while (!rows_.empty() && (taken == 0 || taken + rows_.front().value.size() <= bytes)) {
        taken += rows_.front().value.size();
        slice.rows.push_back(std::move(rows_.front()));
        rows_.pop_front();
    }
    bytes_ -= taken;
    slice.last = whole_ && rows_.empty();
    slice.error = std::exchange(error_, std::nullopt);
    wake_.notify_all();
    return slice;
}

// ---- the thread ----

void Sealer::run() {
    for (;;) {
        BlockSummary block;
        std::uint64_t number = 0;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stopping_ || wanted_; });
            if (stopping_) {
                return;
            }
            block = *std::exchange(wanted_, std::nullopt);
            number = number_;
        }
        try {
            build_block(block, number);
        } catch (const std::exception& e) {
            report(fail(Code::unavailable, "seal", "block " + std::to_string(block.first), e.what()).error(), number);
        }
    }
}

void Sealer::build_block(const BlockSummary& block, std::uint64_t number) {
    BlockBuilder builder({block.first, static_cast<std::uint32_t>(block.last - block.first + 1)});
    for (bool more = true; more;) {
        const auto read = read_some(builder, block);
        if (!read) {
            report(read.error(), number);
            return;
        }
        more = *read;
        if (!hand_over(builder.take(), number, false)) {
            return;
        }
    }
    builder.finish();
    hand_over(builder.take(), number, true);
}

// True: there is more. No transaction is open while we wait for the writer.
Result<bool> Sealer::read_some(BlockBuilder& builder, const BlockSummary& block) {
    const auto txn = Txn::read(env_);
    if (!txn) {
        return std::unexpected(txn.error());
    }
    ChunkReader chunk;
    LogReader log(*txn, chunk);
    for (unsigned values = 0; values < values_per_look; ++values) {
        const std::uint64_t next = block.first + builder.rows();
        if (next > block.last) {
            return false;
        }
        auto there = log.at_or_after(next);
        if (!there) {
            return there;
        }
        if (!*there || chunk.first() != next) {
            return fail(Code::unavailable, "seal", "event " + std::to_string(next), "is missing from the log");
        }
        if (auto read = chunk.read_columns(); !read) {
            return std::unexpected(read.error());
        }
        for (std::size_t row = 0; row < chunk.count(); ++row) {
            const auto event = chunk.event(row);
            if (!event) {
                return std::unexpected(event.error());
            }
            if (auto added = builder.add(*event); !added) {
                return std::unexpected(added.error());
            }
        }
    }
    return true;
}

bool Sealer::hand_over(std::vector<SealedRow> rows, std::uint64_t number, bool last) {
    if (rows.empty()) {
        return true;
    }
    {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this, number] { return stopping_ || number != number_ || bytes_ < waiting_bytes_max; });
        if (stopping_ || number != number_) {
            return false;
        }
        for (SealedRow& row : rows) {
            bytes_ += row.value.size();
            rows_.push_back(std::move(row));
        }
        whole_ = last;
    }
    ready_();
    return true;
}

void Sealer::report(Error error, std::uint64_t number) {
    {
        const std::scoped_lock lock(mutex_);
        if (number != number_) {
            return;
        }
        error_ = std::move(error);
    }
    ready_();
}

} // namespace tocsin::storage
