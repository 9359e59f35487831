// SPDX-License-Identifier: Apache-2.0
// A store that was put in place from a backup: it is told by the backup's mark at its end, and gets an identity of its
// own, since what others remember of the old one (cursors, positions in streams) need not be true of it.
#pragma once

#include "storage/schema.hpp"

#include <filesystem>

namespace tocsin::storage {

// A file beside the store that says so until the new identity is durable. Made by hand, it renews a store that was
// copied in another way.
inline constexpr std::string_view restored_file = "restored";

// Before the store is opened: true where it was restored. The mark is gone then, as LMDB will write where it stood.
Result<bool> take_off_mark(const std::filesystem::path& directory);
// After it was opened.
Result<StoreMeta> renew_identity(Env& env);

} // namespace tocsin::storage
