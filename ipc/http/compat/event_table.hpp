// SPDX-License-Identifier: Apache-2.0
// Events as the rows of the event manager's one table: all of its columns, null where a value is missing, times without
// a zone.
#pragma once

#include "ipc/http/router.hpp"

namespace tocsin::ipc::http::compat {

// Answers {"data":[…]} with all that the filter leaves, however much it is: what is beyond a page is sent while it is
// read. Where reading fails in the middle the text ends early and is no JSON.
void send_table(Context& context, Filter filter, Responder responder);

} // namespace tocsin::ipc::http::compat
