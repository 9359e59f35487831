// SPDX-License-Identifier: Apache-2.0
// Private to ipc/dbus: one method call on its way to its one answer. Whoever holds it answers with reply() or refuse();
// when it is dropped instead, the caller hears Unavailable. Answers to callers that left, and answers after the face
// stopped, are harmless. Moves only; io thread only.
#pragma once

#include "core/ports.hpp"
#include "ipc/access.hpp"
#include "ipc/dbus/connection.hpp"
#include "ipc/dbus/method.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tocsin::ipc::dbus {

// What answers need, shared by all calls; `open` ends with the face.
struct Link {
    std::shared_ptr<Connection> connection;
    Manager* manager = nullptr;
    std::size_t outstanding = 0; // calls not yet answered
    bool stopping = false;       // new calls are refused
    bool open = true;
};

class Call {
public:
    Call(std::shared_ptr<Link> link, sd_bus_message* message, const Method& method);
    ~Call();
    Call(Call&&) noexcept = default;
    Call& operator=(Call&&) = delete;

    sd_bus_message* message() const { return message_.get(); } // its arguments, to be read once
    std::string sender() const;
    std::string path() const;
    const Method& method() const { return *method_; }
    const Caller& caller() const { return *caller_; }
    void identify(std::shared_ptr<const Caller> caller) { caller_ = std::move(caller); }

    // `write` appends the arguments of the answer; `bytes` measures a large one. Only the first answer counts.
    void reply(const std::function<void(Out&)>& write = {}, std::size_t bytes = 0);
    // Refused submissions are counted.
    void refuse(const Error& error);
    // With the D-Bus project's own error names, for its own interfaces.
    void refuse_as(const char* name, const std::string& text);

private:
    void send_error(const char* name, const std::string& text);
    bool take(); // true once: the answer may be sent

    std::shared_ptr<Link> link_;
    Message message_;
    const Method* method_;
    std::shared_ptr<const Caller> caller_{};
};

// A handler that is a member function.
template <typename T> Handler bind(T* object, void (T::*member)(Call)) {
    return [object, member](Call call) { (object->*member)(std::move(call)); };
}

// What the error says on the bus: the fields of a single event, or index and field of each bad event of a batch,
// bounded.
std::string message_of(const Error& error);
std::string list_of(const std::vector<FieldError>& fields, bool with_index);

} // namespace tocsin::ipc::dbus
