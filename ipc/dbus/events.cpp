// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/interfaces.hpp"

#include "core/limits.hpp"
#include "ipc/dbus/arguments.hpp"
#include "ipc/dbus/paged.hpp"
#include "ipc/dbus/read_variant.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::ipc::dbus {

namespace {

Sender sender_of(const Call& call) {
    return {call.caller().uid, call.caller().origin.unit};
}

void stamp(std::vector<Event>& events, const Origin& origin) {
    for (Event& event : events) {
        event.origin = origin;
    }
}

Done<Page> as_list(Done<ListPage<Event>> done) {
    return [next = std::move(done)](Result<Page> page) mutable {
        if (!page) {
            next(std::unexpected(std::move(page.error())));
            return;
        }
        next(ListPage<Event>{std::move(page->events), std::move(page->next)});
    };
}

struct Range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

// Of all events, known ones included; beats have none.
Range range_of(const std::vector<std::uint64_t>& indexes) {
    Range range;
    for (const std::uint64_t index : indexes) {
        if (index != 0) {
            range.first = range.first == 0 ? index : std::min(range.first, index);
            range.last = std::max(range.last, index);
        }
    }
    return range;
}

} // namespace

Interface Events::interface() {
    Interface self{events_interface};
    self.methods = {
        {"Submit", Action::submit, {"a{sv}", {"event"}}, {"t", {"unique_index"}}, bind(this, &Events::submit)},
        {"SubmitBatch",
         Action::submit,
         {"aa{sv}", {"events"}},
         {"at", {"unique_indexes"}},
         bind(this, &Events::submit_batch)},
        {"SubmitJson",
         Action::submit,
         {"ay", {"ndjson"}},
         {"ttu", {"first", "last", "count"}},
         bind(this, &Events::submit_json)},
        {"Get", Action::read, {"t", {"unique_index"}}, {"a{sv}", {"event"}}, bind(this, &Events::get)},
        {"Query",
         Action::read,
         {"a{sv}us", {"filter", "limit", "cursor"}},
         {"aa{sv}s", {"items", "next"}},
         bind(this, &Events::query)},
        {"Count", Action::read, {"a{sv}", {"filter"}}, {"t", {"count"}}, bind(this, &Events::count)},
        {"Subscribe", Action::read, {"a{sv}", {"filter"}}, {}, bind(this, &Events::subscribe)},
        {"Unsubscribe", Action::read, {}, {}, bind(this, &Events::unsubscribe)},
    };
    self.signals = {{"Added", {"aa{sv}", {"events"}}}, {"Missed", {"tt", {"first", "last"}}}};
    return self;
}

// Before what was sent is read: a refusal shall cost as little as it can.
bool Events::turn_away(Call& call) {
    const auto refused = services_.intake.turn_away(sender_of(call));
    if (refused) {
        call.refuse(*refused);
    }
    return refused.has_value();
}

void Events::submit(Call call) {
    if (turn_away(call)) {
        return;
    }
    auto event = read_event(call.message(), services_.intake.rules(), clock_.wall_us());
    if (!event) {
        call.refuse(event.error());
        return;
    }
    std::vector<Event> events;
    events.push_back(std::move(*event));
    stamp(events, call.caller().origin);
    Sender sender = sender_of(call);
    services_.intake.submit(std::move(events), std::move(sender),
                            [held = std::move(call)](Result<Receipt> receipt) mutable {
                                if (!receipt) {
                                    held.refuse(receipt.error());
                                    return;
                                }
                                const std::uint64_t index = receipt->indexes.empty() ? 0 : receipt->indexes.front();
                                held.reply([index](Out& out) { out.counter(index); });
                            });
}

void Events::submit_batch(Call call) {
    if (turn_away(call)) {
        return;
    }
    auto events = read_events(call.message(), services_.intake.rules(), clock_.wall_us());
    if (!events) {
        call.refuse(events.error());
        return;
    }
    stamp(*events, call.caller().origin);
    Sender sender = sender_of(call);
    services_.intake.submit(std::move(*events), std::move(sender),
                            [held = std::move(call)](Result<Receipt> receipt) mutable {
                                if (!receipt) {
                                    held.refuse(batch_error(std::move(receipt.error())));
                                    return;
                                }
                                held.reply([&receipt](Out& out) { out.counters(receipt->indexes); });
                            });
}

namespace {

void answer_json(Call call, Result<Receipt> receipt) {
    if (!receipt) {
        call.refuse(batch_error(std::move(receipt.error())));
        return;
    }
    call.reply([&receipt](Out& out) {
        const Range range = range_of(receipt->indexes);
        out.counter(range.first);
        out.counter(range.last);
        out.small(static_cast<std::uint32_t>(receipt->indexes.size()));
    });
}

} // namespace

void Events::submit_json(Call call) {
    if (turn_away(call)) {
        return;
    }
    const auto bytes = read_bytes(call.message());
    if (!bytes) {
        call.refuse(bytes.error());
        return;
    }
    const std::string_view text(bytes->data(), bytes->size());
    auto events = parser_.ndjson(text, services_.intake.rules(), clock_.wall_us());
    if (!events) {
        call.refuse(batch_error(std::move(events.error())));
        return;
    }
    stamp(*events, call.caller().origin);
    Sender sender = sender_of(call);
    services_.intake.submit(std::move(*events), std::move(sender),
                            [held = std::move(call)](Result<Receipt> receipt) mutable {
                                answer_json(std::move(held), std::move(receipt));
                            });
}

void Events::get(Call call) {
    std::uint64_t index = 0;
    if (sd_bus_message_read_basic(call.message(), 't', &index) < 0) {
        call.refuse(unreadable("unique_index"));
        return;
    }
    services_.reader.get(index, [held = std::move(call)](Result<Event> event) mutable {
        if (!event) {
            held.refuse(event.error());
            return;
        }
        held.reply([&event](Out& out) { out.object(*event); }, dbus_bytes(*event));
    });
}

void Events::query(Call call) {
    auto filter = read_filter(call.message(), services_.intake.rules().zone);
    if (!filter) {
        call.refuse(filter.error());
        return;
    }
    auto page = read_page(call.message());
    if (!page) {
        call.refuse(page.error());
        return;
    }
    EventReader& reader = services_.reader;
    answer_paged<Event>(std::move(call), page->limit,
                        [&reader, asked = std::move(*filter), from = page->cursor](std::size_t limit, auto done) {
                            reader.query(asked, limit, from, as_list(std::move(done)));
                        });
}

void Events::count(Call call) {
    auto filter = read_filter(call.message(), services_.intake.rules().zone);
    if (!filter) {
        call.refuse(filter.error());
        return;
    }
    services_.reader.count(std::move(*filter), [held = std::move(call)](Result<std::uint64_t> count) mutable {
        if (!count) {
            held.refuse(count.error());
            return;
        }
        held.reply([&count](Out& out) { out.counter(*count); });
    });
}

void Events::subscribe(Call call) {
    auto filter = read_filter(call.message(), services_.intake.rules().zone);
    if (!filter) {
        call.refuse(filter.error());
        return;
    }
    if (auto added = subscriptions_.add(call.sender(), call.caller().uid.value_or(0), std::move(*filter)); !added) {
        call.refuse(added.error());
        return;
    }
    call.reply();
}

void Events::unsubscribe(Call call) {
    subscriptions_.remove(call.sender());
    call.reply();
}

} // namespace tocsin::ipc::dbus
