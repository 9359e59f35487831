// SPDX-License-Identifier: Apache-2.0
// Who decides about guarded acts of others than root and the daemon's owner. Asked after ipc/access.hpp left it open.
#pragma once

#include "core/error.hpp"
#include "ipc/access.hpp"

#include <memory>
#include <string>
#include <utility>

namespace tocsin::ipc {

// What is asked: whether this caller may.
struct Question {
    std::shared_ptr<const Caller> caller{};
    Action action = Action::read;
    std::string what{};       // the method or route, for the refusal
    std::string bus_name{};   // the caller's on the bus; empty: a process, by its pid
    int pidfd = -1;           // of the process, where there is no bus name; stays the asker's
    bool interactive = false; // the caller lets itself be asked for a password
};

class Authority {
public:
    virtual ~Authority() = default;
    // Answers once, now or later, on the io thread; anything but a clear yes is not_authorized with the reason, or
    // limit_exceeded where too much is being asked.
    virtual void check(Question question, Done<void> done) = 0;
};

// Where nobody can be asked: root and the owner alone.
class NoAuthority final : public Authority {
public:
    explicit NoAuthority(std::string why) : why_(std::move(why)) {}
    void check(Question question, Done<void> done) override;

private:
    std::string why_;
};

// For faces that start before it is known who can be asked.
class LateAuthority final : public Authority {
public:
    // `authority` must outlive the questions; null: nobody can be asked any more.
    void use(Authority* authority) { authority_ = authority; }
    void check(Question question, Done<void> done) override;

private:
    Authority* authority_ = nullptr;
};

} // namespace tocsin::ipc
