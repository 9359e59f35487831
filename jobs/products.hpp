// SPDX-License-Identifier: Apache-2.0
// The files that jobs left, PRODUCTS/JOB/…: they come from the helper as sealed memfds and are copied in slices, so
// that the loop is never held up for long; bounded for each job and in all. Beside each folder lies the lock of a job
// that runs: its helper holds it for life, so that a rerun never overlaps the tree of an earlier run.
#pragma once

#include "core/error.hpp"
#include "core/fd.hpp"
#include "jobs/protocol.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tocsin::jobs {

class Products {
public:
    Products(std::filesystem::path folder, std::uint64_t bytes_max)
        : folder_(std::move(folder)), bytes_max_(bytes_max) {}
    // Makes the folder and counts what is in it; done by the others where needed.
    Result<void> open();
    // Counts again, since somebody may have made room by hand.
    void set_bytes_max(std::uint64_t bytes_max);
    std::uint64_t bytes() const { return bytes_; }

    // A new description of the lock of this job: whoever gets it can flock() it, and nothing else.
    Result<Fd> lock(std::uint64_t id);
    void forget_lock(std::uint64_t id);
    // Removes the locks of jobs that are not `unfinished`, and of those up to `oldest` the folders too.
    void sweep(const std::function<bool(std::uint64_t id)>& unfinished, std::uint64_t oldest);
    // Removes the folder of this job.
    Result<void> forget(std::uint64_t id);
    // Where it fails the folder goes at the next start.
    bool try_forget(std::uint64_t id) { return forget(id).has_value(); }

private:
    friend class ProductIntake;
    int folder_fd() const { return fd_.get(); }
    bool reserve(std::uint64_t bytes);
    void give_back(std::uint64_t bytes) { bytes_ -= std::min(bytes_, bytes); }

    std::filesystem::path folder_;
    std::uint64_t bytes_max_;
    std::uint64_t bytes_ = 0;
    Fd fd_{};
};

// The products of one run, one after the other.
class ProductIntake {
public:
    ProductIntake(std::shared_ptr<Products> products, std::uint64_t id) : products_(std::move(products)), id_(id) {}
    ~ProductIntake() { abandon(); }
    ProductIntake(const ProductIntake&) = delete;
    ProductIntake& operator=(const ProductIntake&) = delete;

    // Nothing of what the helper says is believed: path, seals and size are looked at again.
    void begin(const protocol::Product& product, const Fd* data);
    // Copies a slice; true when this product is kept or dropped.
    bool step();
    // No other one will be kept either.
    bool enough() const { return enough_; }
    std::uint32_t dropped() const { return dropped_; }
    const std::string& dropped_reason() const { return reason_; }

private:
    std::string_view problem(const protocol::Product& product, int data);
    Result<void> open_target();
    void drop(std::string_view why);
    void abandon();

    std::shared_ptr<Products> products_;
    std::uint64_t id_;
    std::string path_{};
    Fd from_{};
    Fd to_{};
    Fd parent_{};             // of the target
    std::uint64_t size_ = 0;  // reserved for the one that is being copied
    std::uint64_t left_ = 0;  // of it
    std::uint64_t bytes_ = 0; // of this job
    std::size_t files_ = 0;
    std::uint32_t dropped_ = 0;
    bool enough_ = false;
    std::string reason_{};
};

} // namespace tocsin::jobs
