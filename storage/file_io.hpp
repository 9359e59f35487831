// SPDX-License-Identifier: Apache-2.0
// Private to storage: whole reads and writes of descriptors, through interruptions; 0 or an errno.
#pragma once

#include "core/error.hpp"
#include "core/fd.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::storage {

// Fills `into`; EIO where the file ends before.
int read_at(int fd, std::string& into, std::uint64_t offset);
// As much as there is, up to `size`: less only at the end of what is read.
int read_up_to(int fd, std::string& into, std::size_t size);
int write_whole(int fd, std::string_view bytes);
// Flushed to the disk; a directory's new entries as well. Descriptors that cannot be flushed are fine.
int flush_file(int fd);
int flush_entries(const std::string& directory);

Error file_error(int number, std::string context, std::string object);

} // namespace tocsin::storage
