// SPDX-License-Identifier: Apache-2.0
// The day of one name as the event tracker showed it: a page, the picture that its documents promise, and its JSON.
#pragma once

#include "ipc/http/router.hpp"

namespace tocsin::ipc::http::compat {

// …/histogram/{name…}/{yyyymmdd}[.png|.jpg] and …/histogram/json/{name…}/{yyyymmdd}
void show_histogram(Context& context, Request request, Responder responder);

} // namespace tocsin::ipc::http::compat
