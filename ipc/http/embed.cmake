# SPDX-License-Identifier: Apache-2.0
# cmake -D IN=docs/openapi.json -D OUT=openapi.cpp -P embed.cmake: the file's bytes as a C++ array.
file(READ ${IN} BYTES HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," BYTES "${BYTES}")
string(REGEX REPLACE "((0x..,){24})" "\\1\n    " BYTES "${BYTES}")
file(WRITE ${OUT} "// Made from docs/openapi.json.
#include \"ipc/http/openapi.hpp\"

namespace tocsin::ipc::http {
namespace {
constexpr char bytes[] = {
    ${BYTES}
};
} // namespace

std::string_view openapi_json() { return {bytes, sizeof bytes}; }

} // namespace tocsin::ipc::http
")
