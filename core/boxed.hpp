// SPDX-License-Identifier: Apache-2.0
// A value that most objects of its kind do not have: kept on the heap, and only while it differs from T{}. Copies copy
// it, comparison compares it; eight bytes where there is none.
#pragma once

#include <memory>
#include <utility>

namespace tocsin {

template <typename T> class Boxed {
public:
    Boxed() = default;
    Boxed(T value) { *this = std::move(value); } // a T is taken wherever a Boxed<T> is wanted
    Boxed(const Boxed& other) : kept_(other.kept_ ? std::make_unique<T>(*other.kept_) : nullptr) {}
    Boxed(Boxed&&) noexcept = default;
    ~Boxed() = default;
    Boxed& operator=(const Boxed& other) {
        if (this != &other) {
            Boxed copy(other);
            kept_.swap(copy.kept_);
        }
        return *this;
    }
    Boxed& operator=(Boxed&&) noexcept = default;
    Boxed& operator=(T value) {
        kept_ = value == none() ? nullptr : std::make_unique<T>(std::move(value));
        return *this;
    }

    const T& operator*() const { return kept_ ? *kept_ : none(); }
    const T* operator->() const { return &**this; }
    bool empty() const { return kept_ == nullptr; }
    void clear() { kept_.reset(); }
    // `change` is given the value, to be altered.
    template <typename Change> void edit(Change&& change) {
        if (!kept_) {
            kept_ = std::make_unique<T>();
        }
        std::forward<Change>(change)(*kept_);
        if (*kept_ == none()) {
            kept_.reset();
        }
    }

    friend bool operator==(const Boxed& a, const Boxed& b) { return *a == *b; }

private:
    static const T& none() {
        static const T value{};
        return value;
    }

    std::unique_ptr<T> kept_;
};

} // namespace tocsin
