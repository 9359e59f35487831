// SPDX-License-Identifier: Apache-2.0
// docs/openapi.json, embedded when built.
#pragma once

#include <string_view>

namespace tocsin::ipc::http {

std::string_view openapi_json();

} // namespace tocsin::ipc::http
