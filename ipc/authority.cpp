// SPDX-License-Identifier: Apache-2.0
#include "ipc/authority.hpp"

namespace tocsin::ipc {

void NoAuthority::check(Question question, Done<void> done) {
    done(fail(Code::not_authorized, "authorize", question.what,
              may_not(*question.caller) + "; it takes root, since " + why_));
}

void LateAuthority::check(Question question, Done<void> done) {
    if (authority_ != nullptr) {
        authority_->check(std::move(question), std::move(done));
        return;
    }
    NoAuthority("the daemon has no bus on which polkit could be asked").check(std::move(question), std::move(done));
}

} // namespace tocsin::ipc
