// SPDX-License-Identifier: Apache-2.0
// Who is told of commits. Lives on the io thread alone; outlives the store where a posted notice still holds it.
#pragma once

#include "core/ports.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

namespace tocsin::storage {

class Feed : public std::enable_shared_from_this<Feed> {
public:
    using Handler = std::function<void(const CommitNotice&)>;
    std::unique_ptr<Subscription> add(Handler handler);
    // A handler may add and remove handlers, itself too.
    void tell(const CommitNotice& notice);

private:
    struct Entry;
    std::map<std::uint64_t, std::shared_ptr<const Handler>> handlers_{};
    std::uint64_t next_ = 1;
};

} // namespace tocsin::storage
