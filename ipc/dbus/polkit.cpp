// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/polkit.hpp"

#include "ipc/process.hpp"

#include <cerrno>
#include <exception>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::ipc::dbus {

namespace {

constexpr const char* polkit_name = "org.freedesktop.PolicyKit1";
constexpr const char* polkit_path = "/org/freedesktop/PolicyKit1/Authority";
constexpr const char* polkit_interface = "org.freedesktop.PolicyKit1.Authority";
constexpr std::uint32_t allow_interaction = 1;

constexpr std::size_t checks_max = 1'024;     // that polkit has not answered yet, of all users
constexpr std::size_t checks_of_uid_max = 32; // of one user

Error refused(const Question& question, const std::string& why) {
    return Error{Code::not_authorized, "authorize", question.what, may_not(*question.caller) + "; " + why};
}

Error busy() {
    Error error{Code::limit_exceeded, "authorize", "", "polkit has not answered earlier calls yet"};
    error.retry_after_s = 1;
    return error;
}

std::string reason_of_failure(std::string_view name, std::string_view text) {
    if (name == "org.freedesktop.DBus.Error.ServiceUnknown" || name == "org.freedesktop.DBus.Error.NameHasNoOwner" ||
        name.starts_with("org.freedesktop.DBus.Error.Spawn.")) {
        return "it takes root, since polkit is not there to be asked";
    }
    if (name == "org.freedesktop.DBus.Error.NoReply" || name == "org.freedesktop.DBus.Error.Timeout") {
        return "polkit did not answer in time";
    }
    return "polkit could not decide (" + std::string(name) + ": " + clean_text(text) + ")";
}

struct Verdict {
    bool authorized = false;
    bool challenge = false; // a password would help
    bool dismissed = false; // the person did not want to give it
};

int read_details(sd_bus_message* reply, Verdict& verdict) {
    int done = sd_bus_message_enter_container(reply, 'a', "{ss}");
    const char* key = nullptr;
    const char* value = nullptr;
    while (done >= 0 && (done = sd_bus_message_read(reply, "{ss}", &key, &value)) > 0) {
        verdict.dismissed = verdict.dismissed || (std::string_view(key) == "polkit.dismissed" && *value != '\0');
    }
    return done < 0 ? done : sd_bus_message_exit_container(reply);
}

Result<Verdict> read_verdict(sd_bus_message* reply, const Question& question) {
    if (const sd_bus_error* failed = sd_bus_message_get_error(reply)) {
        return std::unexpected(
            refused(question, reason_of_failure(failed->name, failed->message == nullptr ? "" : failed->message)));
    }
    Verdict verdict;
    int authorized = 0;
    int challenge = 0;
    int done = sd_bus_message_has_signature(reply, "(bba{ss})") > 0 ? 0 : -EBADMSG;
    done = done < 0 ? done : sd_bus_message_enter_container(reply, 'r', "bba{ss}");
    done = done < 0 ? done : sd_bus_message_read(reply, "bb", &authorized, &challenge);
    done = done < 0 ? done : read_details(reply, verdict);
    if (done < 0) {
        return std::unexpected(refused(question, "what polkit answered cannot be read"));
    }
    verdict.authorized = authorized != 0;
    verdict.challenge = challenge != 0;
    return verdict;
}

Result<void> judge(const Verdict& verdict, const Question& question) {
    if (verdict.authorized) {
        return {};
    }
    const std::string act = polkit_action(question.action);
    if (verdict.dismissed) {
        return std::unexpected(refused(question, "the question for a password (" + act + ") was dismissed"));
    }
    if (verdict.challenge && question.interactive) {
        return std::unexpected(refused(question, "it takes the password of an administrator (" + act +
                                                     "), for which no agent asked: is one running in this session?"));
    }
    if (verdict.challenge) {
        return std::unexpected(refused(question, "it takes the password of an administrator (" + act +
                                                     "), and this way nobody can be asked for it"));
    }
    return std::unexpected(refused(question, "polkit does not allow it (" + act + ")"));
}

// (sa{sv}): the name on the bus where there is one, else the process, which must still be the one that connected.
int append_subject(sd_bus_message* message, const Question& question) {
    if (!question.bus_name.empty()) {
        return sd_bus_message_append(message, "(sa{sv})", "system-bus-name", 1, "name", "s", question.bus_name.c_str());
    }
    const Caller& caller = *question.caller;
    const auto start = caller.origin.pid ? start_time_of(*caller.origin.pid, question.pidfd) : std::nullopt;
    if (!start || !caller.uid) {
        return -ESRCH;
    }
    return sd_bus_message_append(message, "(sa{sv})", "unix-process", 3, "pid", "u", *caller.origin.pid, "start-time",
                                 "t", *start, "uid", "i", static_cast<std::int32_t>(*caller.uid));
}

std::string cancellation_of(std::uint64_t id) {
    return "tocsin-" + std::to_string(id);
}

} // namespace

void Polkit::check(Question question, Done<void> done) {
    const std::uint32_t uid = question.caller->uid.value_or(0);
    const auto mine = by_uid_.find(uid);
    if (checks_.size() >= checks_max || (mine != by_uid_.end() && mine->second >= checks_of_uid_max)) {
        done(std::unexpected(busy()));
        return;
    }
    const std::uint64_t id = next_id_++;
    Check& check = *checks_.emplace(id, std::make_unique<Check>()).first->second;
    check.owner = this;
    check.id = id;
    check.question = std::move(question);
    check.done = std::move(done);
    ++by_uid_[uid];
    if (auto asked = ask(check); !asked) {
        finish(id, std::move(asked));
    }
}

Result<void> Polkit::ask(Check& check) {
    const Question& question = check.question;
    sd_bus_message* raw = nullptr;
    int done = sd_bus_message_new_method_call(connection_.bus(), &raw, polkit_name, polkit_path, polkit_interface,
                                              "CheckAuthorization");
    const Message message(raw);
    done = done < 0 ? done : append_subject(message.get(), question);
    if (done == -ESRCH) {
        return std::unexpected(refused(question, "the process that asks cannot be told any more"));
    }
    done = done < 0 ? done
                    : sd_bus_message_append(message.get(), "sa{ss}us", polkit_action(question.action).c_str(), 0,
                                            question.interactive ? allow_interaction : 0U,
                                            cancellation_of(check.id).c_str());
    sd_bus_slot* slot = nullptr;
    done = done < 0 ? done
                    : sd_bus_call_async(connection_.bus(), &slot, message.get(), &Polkit::on_answer, &check,
                                        question.interactive ? patience_.interactive_us : patience_.silent_us);
    check.slot.reset(slot);
    connection_.rearm();
    if (done < 0) {
        return std::unexpected(refused(question, "polkit cannot be asked (" + reason_of(done) + ")"));
    }
    return {};
}

int Polkit::on_answer(sd_bus_message* reply, void* userdata, sd_bus_error* /*error*/) {
    const auto& check = *static_cast<const Check*>(userdata);
    Polkit& self = *check.owner;
    const std::uint64_t id = check.id;
    try {
        if (sd_bus_message_is_method_error(reply, nullptr) > 0) {
            self.withdraw(id); // it may still be asking somebody
        }
        const auto verdict = read_verdict(reply, check.question);
        self.finish(id, verdict ? judge(*verdict, check.question) : std::unexpected(verdict.error()));
    } catch (const std::exception&) {
        self.take(id); // the call is answered by its holder
        return -ENOMEM;
    }
    return 1;
}

std::unique_ptr<Polkit::Check> Polkit::take(std::uint64_t id) {
    auto node = checks_.extract(id);
    if (node.empty()) {
        return nullptr;
    }
    const auto mine = by_uid_.find(node.mapped()->question.caller->uid.value_or(0));
    if (mine != by_uid_.end() && --mine->second == 0) {
        by_uid_.erase(mine);
    }
    return std::move(node.mapped());
}

void Polkit::finish(std::uint64_t id, Result<void> verdict) {
    if (const auto check = take(id)) {
        check->done(std::move(verdict));
    }
}

// Nobody is told of the answer.
void Polkit::withdraw(std::uint64_t id) {
    sd_bus_message* raw = nullptr;
    int done = sd_bus_message_new_method_call(connection_.bus(), &raw, polkit_name, polkit_path, polkit_interface,
                                              "CancelCheckAuthorization");
    const Message message(raw);
    done = done < 0 ? done : sd_bus_message_append(message.get(), "s", cancellation_of(id).c_str());
    done = done < 0 ? done : sd_bus_message_set_expect_reply(message.get(), 0);
    done = done < 0 ? done : sd_bus_message_set_auto_start(message.get(), 0);
    if (done >= 0) {
        static_cast<void>(connection_.send(message.get())); // where it fails, polkit's own end of the question does
    }
}

void Polkit::forget(const std::string& name) {
    std::vector<std::uint64_t> gone;
    for (const auto& [id, check] : checks_) {
        if (check->question.bus_name == name) {
            gone.push_back(id);
        }
    }
    for (const std::uint64_t id : gone) {
        withdraw(id);
        const Question& question = checks_.at(id)->question;
        finish(id, std::unexpected(refused(question, "the caller left the bus")));
    }
}

void Polkit::stop() {
    while (!checks_.empty()) {
        const auto& [id, check] = *checks_.begin();
        finish(id, std::unexpected(Error{Code::unavailable, "authorize", check->question.what,
                                         "the daemon is stopping; try again when it is back"}));
    }
}

} // namespace tocsin::ipc::dbus
