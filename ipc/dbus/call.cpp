// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/call.hpp"

#include <algorithm>

namespace tocsin::ipc::dbus {

namespace {

constexpr std::size_t fields_shown_max = 20;
constexpr std::size_t message_bytes_max = 8 * limits::KiB;

const char* or_empty(const char* text) {
    return text == nullptr ? "" : text;
}

} // namespace

Call::Call(std::shared_ptr<Link> link, sd_bus_message* message, const Method& method)
    : link_(std::move(link)), message_(share(message)), method_(&method) {
    ++link_->outstanding;
}

Call::~Call() {
    if (message_) {
        refuse(Error{Code::unavailable, "bus", "", "the daemon is stopping and did not finish this call; try again"});
    }
}

std::string Call::sender() const {
    return or_empty(sd_bus_message_get_sender(message_.get()));
}

std::string Call::path() const {
    return or_empty(sd_bus_message_get_path(message_.get()));
}

bool Call::take() {
    if (!message_) {
        return false;
    }
    --link_->outstanding;
    return link_->open && sd_bus_message_get_expect_reply(message_.get()) > 0;
}

void Call::reply(const std::function<void(Out&)>& write, std::size_t bytes) {
    if (!take()) {
        message_.reset();
        return;
    }
    sd_bus_message* raw = nullptr;
    int done = sd_bus_message_new_method_return(message_.get(), &raw);
    const Message answer(raw);
    if (done >= 0 && write) {
        Out out(answer.get());
        write(out);
        done = out.result();
    }
    if (done < 0) {
        const Error broken{Code::unavailable, "bus", "", "the answer cannot be written (" + reason_of(done) + ")"};
        send_error(dbus_error_name(broken.code).c_str(), message_of(broken));
    } else if (const auto sent = link_->connection->send(answer.get(), bytes); !sent) {
        send_error(dbus_error_name(sent.error().code).c_str(), message_of(sent.error()));
    }
    message_.reset();
}

void Call::refuse(const Error& error) {
    const bool wanted = take();
    if (message_ && link_->open && method_->action == Action::submit) {
        link_->manager->count_rejected(error.code);
    }
    if (wanted) {
        send_error(dbus_error_name(error.code).c_str(), message_of(error));
    }
    message_.reset();
}

void Call::refuse_as(const char* name, const std::string& text) {
    if (take()) {
        send_error(name, text);
    }
    message_.reset();
}

void Call::send_error(const char* name, const std::string& text) {
    sd_bus_error error{};
    sd_bus_error_set(&error, name, clean_text(text).c_str());
    sd_bus_message* raw = nullptr;
    const int done = sd_bus_message_new_method_error(message_.get(), &raw, &error);
    const Message answer(raw);
    sd_bus_error_free(&error);
    if (done < 0 || !link_->connection->send(answer.get())) {
        return; // nobody else could be told
    }
}

std::string list_of(const std::vector<FieldError>& fields, bool with_index) {
    std::string text;
    std::size_t shown = 0;
    for (; shown < std::min(fields.size(), fields_shown_max) && text.size() < message_bytes_max; ++shown) {
        const FieldError& field = fields[shown];
        text += shown == 0 ? "" : "; ";
        if (with_index) {
            text += "event " + std::to_string(field.index) + ": ";
        }
        text += field.field.empty() ? field.reason : field.field + ": " + field.reason;
    }
    if (shown < fields.size()) {
        text += "; and " + std::to_string(fields.size() - shown) + " more";
    }
    return text;
}

std::string message_of(const Error& error) {
    std::string text = error.fields.size() > 1 ? list_of(error.fields, false) : error.detail();
    if (error.retry_after_s) {
        text += "; try again in " + std::to_string(*error.retry_after_s) + " s";
    }
    if (text.size() > message_bytes_max) {
        text.resize(message_bytes_max);
    }
    return text;
}

} // namespace tocsin::ipc::dbus
