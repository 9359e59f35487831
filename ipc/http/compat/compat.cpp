// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/compat/compat.hpp"

namespace tocsin::ipc::http {

std::vector<std::span<const Route>> compat_routes(const CompatOptions& /*options*/) {
    return {};
}

} // namespace tocsin::ipc::http
