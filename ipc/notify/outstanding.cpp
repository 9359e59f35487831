// SPDX-License-Identifier: Apache-2.0
#include "ipc/notify/outstanding.hpp"

namespace tocsin::ipc::notify {

bool Outstanding::full(std::string_view source) const {
    const auto found = by_source_.find(source);
    return full() || (found != by_source_.end() && found->second >= beats_per_source_max);
}

std::uint64_t Outstanding::begin(const std::string& source) {
    open_.emplace(++last_, source);
    ++by_source_[source];
    return last_;
}

void Outstanding::end(std::uint64_t beat, End how) {
    const auto found = open_.find(beat);
    if (found == open_.end()) {
        return;
    }
    const auto source = by_source_.find(found->second);
    if (--source->second == 0) {
        by_source_.erase(source);
    }
    open_.erase(found);
    if (how == End::unstored) {
        unstored_first_ = unstored_first_ == 0 ? beat : std::min(unstored_first_, beat);
        unstored_last_ = std::max(unstored_last_, beat);
    } else if (how == End::kept && beat > unstored_last_) {
        unstored_first_ = unstored_last_ = 0;
    }
    release();
}

bool Outstanding::hold(Fd barrier) {
    if (settled(last_)) {
        return true;
    }
    if (barriers_.size() >= barriers_max) {
        return false;
    }
    barriers_.push_back(Barrier{last_, std::move(barrier)});
    return true;
}

bool Outstanding::settled(std::uint64_t upto) const {
    return (open_.empty() || open_.begin()->first > upto) && (unstored_first_ == 0 || unstored_first_ > upto);
}

void Outstanding::release() {
    while (!barriers_.empty() && settled(barriers_.front().upto)) {
        barriers_.pop_front();
    }
}

} // namespace tocsin::ipc::notify
