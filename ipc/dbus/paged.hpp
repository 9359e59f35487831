// SPDX-License-Identifier: Apache-2.0
// Private to ipc/dbus: the answer of every list, (aa{sv} items, s next). What is a page in JSON terms may be several
// times that on the bus, so it is measured here, and asked for again with a smaller limit until it fits; one item
// always does.
#pragma once

#include "core/limits.hpp"
#include "core/ports.hpp"
#include "ipc/dbus/call.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

namespace tocsin::ipc::dbus {

template <typename T> class Paged : public std::enable_shared_from_this<Paged<T>> {
public:
    using Source = std::function<void(std::size_t limit, Done<ListPage<T>> done)>;

    Paged(Call call, std::size_t limit, Source source)
        : call_(std::move(call)), limit_(limit), source_(std::move(source)) {}

    void ask() {
        source_(limit_, [self = this->shared_from_this()](Result<ListPage<T>> page) { self->answer(std::move(page)); });
    }

private:
    void answer(Result<ListPage<T>> page) {
        if (!page) {
            call_.refuse(page.error());
            return;
        }
        const auto& items = page->items;
        std::size_t bytes = 0;
        std::size_t fits = 0;
        for (const T& item : items) {
            bytes += dbus_bytes(item);
            fits += bytes <= limits::page_bytes ? 1 : 0;
        }
        if (fits == items.size() || items.size() == 1) {
            const auto write = [&page](Out& out) {
                out.objects(page->items);
                out.text(page->next);
            };
            call_.reply(write, bytes);
            return;
        }
        // On the first page newer and larger items may come in between; halving ends this in any case.
        limit_ = again_ ? limit_ / 2 : std::min(fits, items.size() - 1);
        limit_ = std::max<std::size_t>(limit_, 1);
        again_ = true;
        ask();
    }

    Call call_;
    std::size_t limit_;
    Source source_;
    bool again_ = false;
};

template <typename T> void answer_paged(Call call, std::size_t limit, typename Paged<T>::Source source) {
    std::make_shared<Paged<T>>(std::move(call), limit, std::move(source))->ask();
}

} // namespace tocsin::ipc::dbus
