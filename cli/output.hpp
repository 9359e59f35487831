// SPDX-License-Identifier: Apache-2.0
// Where text goes: standard output and standard error, buffered, with what is known about the other end (a terminal?
// how wide? colours?). A reader that left (EPIPE) is no error: writing ends and gone() is true. Tests use MemoryOutput.
#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace tocsin::cli {

enum class Colour : std::uint8_t { plain, bold, dim, red, green, yellow, alarm };

class Output {
public:
    virtual ~Output() = default;
    void write(std::string_view text);
    void line(std::string_view text);
    // invalid or impossible writing is told once, by finish().
    virtual void flush() = 0;

    bool terminal = false;
    bool colours = false;
    std::size_t columns = 0; // 0: as wide as it takes

    // The reader left, or writing failed: nothing more is worth computing.
    bool gone() const { return gone_; }
    // `text` in that colour, or as it is.
    std::string paint(Colour colour, std::string_view text) const;

protected:
    std::string buffer_{};
    bool gone_ = false;
};

class FileOutput final : public Output {
public:
    explicit FileOutput(int fd);
    void flush() override;
    // Flushes; the error when something could not be written, other than to a reader that left.
    Result<void> finish();

private:
    int fd_;
    int errno_ = 0;
};

class MemoryOutput final : public Output {
public:
    void flush() override {
        text += buffer_;
        buffer_.clear();
    }
    std::string text{};
    void close() { gone_ = true; } // what a reader does that has seen enough
};

} // namespace tocsin::cli
