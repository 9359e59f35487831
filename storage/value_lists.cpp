// SPDX-License-Identifier: Apache-2.0
#include "storage/value_lists.hpp"

#include "storage/dictionary.hpp"

namespace tocsin::storage {

namespace {

constexpr std::size_t entry_bytes = 128; // of what is kept for a block, its list apart

Result<std::shared_ptr<const ValueList>> read_values(const Txn& txn, BlockPlace block, Dimension dimension) {
    const auto list = std::make_shared<ValueList>();
    DictionaryReader dictionary(txn, block, dimension);
    auto there = dictionary.seek({});
    for (; there && *there; there = dictionary.next()) {
        list->add(dictionary.value());
    }
    return there ? Result<std::shared_ptr<const ValueList>>(list) : std::unexpected(there.error());
}

} // namespace

std::optional<std::uint32_t> ValueList::find(std::string_view value) const {
    std::size_t low = 0;
    std::size_t high = size();
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        (at(middle) < value ? low : high) = at(middle) < value ? middle + 1 : middle;
    }
    return low < size() && at(low) == value ? std::optional(static_cast<std::uint32_t>(low)) : std::nullopt;
}

Result<std::shared_ptr<const ValueList>> ValueLists::of(const Txn& txn, BlockPlace block, Dimension dimension) {
    {
        const std::scoped_lock lock(mutex_);
        if (const auto found = lists_.find({dimension, block.first}); found != lists_.end()) {
            return found->second;
        }
    }
    auto list = read_values(txn, block, dimension);
    if (list && (*list)->bytes() <= value_list_bytes_max) {
        keep(block, dimension, *list);
    }
    return list;
}

std::size_t ValueLists::bytes() {
    const std::scoped_lock lock(mutex_);
    return bytes_;
}

void ValueLists::keep(BlockPlace block, Dimension dimension, std::shared_ptr<const ValueList>& list) {
    const std::scoped_lock lock(mutex_);
    if (bytes_ + entry_bytes + list->bytes() > value_lists_bytes_max) {
        lists_.clear();
        last_.clear();
        bytes_ = 0;
    }
    std::shared_ptr<const ValueList>& last = last_[dimension];
    if (last != nullptr && *last == *list) {
        list = last;
    } else {
        last = list;
        bytes_ += list->bytes();
    }
    bytes_ += entry_bytes;
    lists_.insert_or_assign({dimension, block.first}, list);
}

} // namespace tocsin::storage
