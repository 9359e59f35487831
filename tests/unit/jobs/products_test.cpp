// SPDX-License-Identifier: Apache-2.0
// What the daemon keeps of what a helper hands over, believing nothing of it.
#include "site.hpp"

#include "core/limits.hpp"
#include "jobs/products.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>

namespace tocsin::jobs::test {
namespace {

constexpr int all_seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

Fd sealed(std::uint64_t bytes, int seals = all_seals) {
    Fd file(::memfd_create("product", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    EXPECT_EQ(::ftruncate(file.get(), static_cast<off_t>(bytes)), 0);
    EXPECT_EQ(::fcntl(file.get(), F_ADD_SEALS, seals), 0);
    ::lseek(file.get(), 0, SEEK_END); // as who wrote it leaves it
    return file;
}

class ProductsTest : public ::testing::Test {
protected:
    void offer(ProductIntake& intake, const std::string& path, const Fd& data) {
        intake.begin({path, 0}, &data);
        while (!intake.step()) {
            ++slices_;
        }
    }
    std::uintmax_t size(const std::string& path) {
        std::error_code error;
        const auto bytes = fs::file_size(folder_ / path, error);
        return error ? std::uintmax_t{0} - 1 : bytes;
    }
    bool there(const std::string& path) {
        std::error_code error;
        return fs::exists(folder_ / path, error);
    }

    TempDirectory root_{};
    fs::path folder_ = root_.path() / "products";
    std::shared_ptr<Products> products_ = std::make_shared<Products>(folder_, 10'000'000);
    std::size_t slices_ = 0;
};

TEST_F(ProductsTest, CopiesInSlices) {
    ProductIntake intake(products_, 7);
    offer(intake, "a/b", sealed(3'500'000));
    EXPECT_EQ(size("7/a/b"), 3'500'000U);
    EXPECT_EQ(slices_, 3U) << "of 1 MiB";
    EXPECT_EQ(products_->bytes(), 3'500'000U);
    EXPECT_EQ(intake.dropped(), 0U);
}

TEST_F(ProductsTest, WhatIsNotSealedIsNotKept) {
    ProductIntake intake(products_, 7);
    offer(intake, "a", sealed(10, F_SEAL_SHRINK));
    offer(intake, "b", Fd(::open("/etc/passwd", O_RDONLY | O_CLOEXEC)));
    offer(intake, "c", Fd());
    intake.begin({"d", 0}, nullptr);
    EXPECT_EQ(intake.dropped(), 4U);
    EXPECT_NE(intake.dropped_reason().find("seals"), std::string::npos);
    EXPECT_FALSE(there("7"));
}

TEST_F(ProductsTest, NothingLeadsOut) {
    ProductIntake intake(products_, 7);
    offer(intake, "ok", sealed(1));
    ASSERT_EQ(::symlink("/tmp", (folder_ / "7/link").c_str()), 0);
    for (const char* path : {"../x", "/x", "a/../../x", "link/x", "ok/x", "ok", "\xff"}) {
        offer(intake, path, sealed(1));
    }
    EXPECT_EQ(intake.dropped(), 7U);
    EXPECT_EQ(products_->bytes(), 1U) << "what was not kept does not count";
    EXPECT_FALSE(there("x"));
}

TEST_F(ProductsTest, OneJobIsBounded) {
    products_->set_bytes_max(std::uint64_t{1} << 40);
    ProductIntake intake(products_, 7);
    offer(intake, "large", sealed(protocol::product_file_bytes + 1));
    EXPECT_EQ(intake.dropped(), 1U);
    for (std::size_t i = 0; i < protocol::product_files_max + 3; ++i) {
        offer(intake, "f" + std::to_string(i), sealed(1));
    }
    EXPECT_EQ(intake.dropped(), 4U);
    EXPECT_FALSE(intake.enough()) << "another job may still leave something";
}

TEST_F(ProductsTest, AllTogetherAreBounded) {
    ProductIntake intake(products_, 7);
    offer(intake, "a", sealed(9'000'000));
    offer(intake, "b", sealed(2'000'000));
    EXPECT_TRUE(intake.enough());
    EXPECT_NE(intake.dropped_reason().find("jobs.products_max"), std::string::npos);
    EXPECT_EQ(products_->bytes(), 9'000'000U);
    Products again(folder_, 1);
    ASSERT_TRUE(again.open());
    EXPECT_EQ(again.bytes(), 9'000'000U) << "counted at the start";
    ASSERT_TRUE(products_->forget(7));
    EXPECT_EQ(products_->bytes(), 0U);
    EXPECT_FALSE(there("7"));
    EXPECT_TRUE(products_->forget(7)) << "nothing is there, and that is fine";
}

TEST_F(ProductsTest, RoomMadeByHandIsSeenOnReload) {
    ProductIntake intake(products_, 7);
    offer(intake, "a", sealed(9'000'000));
    std::error_code error;
    fs::remove(folder_ / "7/a", error);
    products_->set_bytes_max(10'000'000);
    EXPECT_EQ(products_->bytes(), 0U);
    offer(intake, "b", sealed(9'000'000));
    EXPECT_EQ(size("7/b"), 9'000'000U);
}

TEST_F(ProductsTest, WhatIsHalfCopiedGoes) {
    {
        ProductIntake intake(products_, 7);
        const Fd data = sealed(3'000'000);
        intake.begin({"a", 0}, &data);
        EXPECT_FALSE(intake.step());
        EXPECT_TRUE(there("7/a"));
    }
    EXPECT_FALSE(there("7/a"));
    EXPECT_EQ(products_->bytes(), 0U);
}

TEST_F(ProductsTest, TheLockIsOneFileForEachJob) {
    auto first = products_->lock(7);
    auto second = products_->lock(7);
    auto other = products_->lock(8);
    ASSERT_TRUE(first && second && other);
    EXPECT_EQ(::flock(first->get(), LOCK_EX | LOCK_NB), 0);
    EXPECT_NE(::flock(second->get(), LOCK_EX | LOCK_NB), 0);
    EXPECT_EQ(::flock(other->get(), LOCK_EX | LOCK_NB), 0);
    EXPECT_LT(::write(first->get(), "x", 1), 0) << "whoever has it may only lock it";
    products_->sweep([](std::uint64_t id) { return id == 7; }, 0);
    EXPECT_TRUE(there("7.lock"));
    EXPECT_FALSE(there("8.lock"));
    products_->forget_lock(7);
    EXPECT_FALSE(there("7.lock"));
}

TEST_F(ProductsTest, AStartRemovesTheFoldersOfJobsWhoseRowsAreGone) {
    ASSERT_TRUE(products_->open());
    for (const std::string name : {"1", "2", "3", "other"}) {
        std::filesystem::create_directory(folder_ / name);
    }
    products_->sweep([](std::uint64_t id) { return id == 1; }, 2);
    EXPECT_TRUE(there("1")) << "not ended yet";
    EXPECT_FALSE(there("2"));
    EXPECT_TRUE(there("3") && there("other"));
}

} // namespace
} // namespace tocsin::jobs::test
