// SPDX-License-Identifier: Apache-2.0
#include "storage/page_check.hpp"

#include "storage/file_io.hpp"
#include "storage/lmdb_env.hpp"
#include "storage/page_layout.hpp"

#include <bit>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::storage {

namespace {

using namespace page;

constexpr std::size_t page_bytes_least = 512;
constexpr std::size_t page_bytes_most = 65'536;
constexpr std::uint64_t progress_pages = 4'096;
constexpr std::size_t key_shown = 64;
constexpr std::uint64_t unwritten_pages_max = 131'072; // of one transaction, LMDB's own limit

std::string spell(std::uint64_t number) {
    return std::to_string(number);
}

std::string spell_key(std::string_view key) {
    std::string out = "key ";
    constexpr std::string_view digits = "0123456789abcdef";
    for (const char c : key.substr(0, key_shown)) {
        out += digits[static_cast<unsigned char>(c) >> 4U];
        out += digits[static_cast<unsigned char>(c) & 0xfU];
    }
    return out;
}

class PageChecker {
public:
    PageChecker(int file, std::uint64_t bytes, FileEnd ends, Problems& problems, const Progress& progress)
        : file_(file), bytes_(bytes), ends_(ends), problems_(problems), progress_(progress) {}

    Result<PageCounts> run() {
        if (const auto meta = choose_meta()) {
            taken_.assign(static_cast<std::size_t>(last_) + 1, false);
            walk_free_list(meta->free_list);
            walk_main(meta->main);
            for (std::uint64_t number = meta_pages; number <= last_; ++number) {
                if (!taken_[static_cast<std::size_t>(number)]) {
                    wrong("", number, "is neither used nor free");
                }
            }
        }
        if (errno_ != 0) {
            return std::unexpected(file_error(errno_, "verify", "data file"));
        }
        return counts_;
    }

private:
    struct Tree {
        std::string name;
        const TreeRecord& record;
        bool numbers = false; // keys are numbers of the machine
        std::uint64_t branch_pages = 0;
        std::uint64_t leaf_pages = 0;
        std::uint64_t overflow_pages = 0;
        std::uint64_t entries = 0;
        std::function<void(const Node&)> use{};
    };
    // Keys below a branch lie in here.
    struct Range {
        std::optional<std::string> low{};
        std::optional<std::string> high{};
    };

    void wrong(std::string_view tree, std::uint64_t number, std::string_view what) {
        std::string text = tree.empty() ? std::string() : "tree " + std::string(tree) + ", ";
        problems_.add(text + "page " + spell(number) + ": " + std::string(what));
    }

    // ---- reading ----

    // The file has them.
    bool there(std::string_view tree, std::uint64_t number, std::uint64_t pages) {
        if ((number + pages) * page_bytes_ <= bytes_) {
            return true;
        }
        wrong(tree, number, "lies behind the end of the file, which was cut off");
        return false;
    }

    bool read(std::string_view tree, std::uint64_t number, std::uint64_t pages, std::string& into) {
        if (!there(tree, number, pages)) {
            return false;
        }
        into.resize(static_cast<std::size_t>(pages * page_bytes_));
        if (const int rc = read_at(file_, into, number * page_bytes_); rc != 0) {
            errno_ = errno_ == 0 ? rc : errno_;
            return false;
        }
        return true;
    }

    // A page may belong to one thing only.
    bool claim(std::string_view tree, std::uint64_t number, std::uint64_t pages) {
        if (number < meta_pages || number > last_ || pages == 0 || pages > last_ - number + 1) {
            wrong(tree, number, "lies outside of the file, yet something points to it");
            return false;
        }
        for (std::uint64_t i = number; i < number + pages; ++i) {
            if (taken_[static_cast<std::size_t>(i)]) {
                wrong(tree, i, "is used twice");
                return false;
            }
            taken_[static_cast<std::size_t>(i)] = true;
        }
        looked_at_ += pages;
        if (progress_ && looked_at_ / progress_pages != (looked_at_ - pages) / progress_pages) {
            progress_("pages", looked_at_ * page_bytes_, bytes_);
        }
        return true;
    }

    // ---- meta pages ----

    std::optional<Meta> read_meta_page(std::uint64_t number) {
        std::string bytes(meta_bytes, '\0');
        const std::uint64_t offset = number * page_bytes_;
        if (offset + meta_bytes > bytes_ || read_at(file_, bytes, offset) != 0) {
            problems_.add("the file ends before its second page; it is no store, or was cut off");
            return std::nullopt;
        }
        Meta meta(bytes);
        const std::size_t size = meta.free_list.pad;
        if (meta.magic_number != magic || meta.format != version || meta.header.kind != page::meta) {
            wrong("", number, "is no meta page of LMDB 0.9");
            return std::nullopt;
        }
        if (!std::has_single_bit(size) || size < page_bytes_least || size > page_bytes_most ||
            (number > 0 && size != page_bytes_)) {
            wrong("", number, "gives a size of pages that cannot be: " + spell(size));
            return std::nullopt;
        }
        page_bytes_ = size;
        return meta;
    }

    std::optional<Meta> choose_meta() {
        const auto first = read_meta_page(0);
        const auto second = first ? read_meta_page(1) : std::nullopt;
        if (!first || !second) {
            return std::nullopt;
        }
        const Meta& newest = first->transaction < second->transaction ? *second : *first;
        const Meta& older = first->transaction < second->transaction ? *first : *second;
        // Each transaction writes the page of its parity, so they are neighbours, or both of a file just made.
        const bool fresh = newest.transaction <= 1;
        if (!fresh && (newest.transaction != older.transaction + 1 || second->transaction % 2 != 1)) {
            problems_.add("the meta pages tell of transactions " + spell(first->transaction) + " and " +
                          spell(second->transaction) + ", which cannot stand beside each other");
            return std::nullopt;
        }
        last_ = newest.last_page;
        // Pages that a transaction took and gave back were never written: the last ones may lie behind the end.
        const std::uint64_t unwritten = ends_ == FileEnd::as_written ? unwritten_pages_max : 0;
        if (last_ < meta_pages - 1 || last_ >= bytes_ / page_bytes_ + unwritten) {
            problems_.add("the last page is " + spell(last_) + ", the file has " + spell(bytes_ / page_bytes_) +
                          " pages; it was cut off");
            return std::nullopt;
        }
        if ((newest.free_list.flags & 0xffU) != integer_keys || (newest.main.flags & 0xffU) != 0) {
            problems_.add("the newest meta page gives kinds of trees that cannot be");
            return std::nullopt;
        }
        return newest;
    }

    // ---- trees ----

    void walk_free_list(const TreeRecord& record) {
        Tree tree{.name = "free list", .record = record, .numbers = true};
        std::vector<std::uint64_t> free;
        tree.use = [this, &free](const Node& node) { read_free(node, free); };
        walk(tree);
        for (const std::uint64_t number : free) {
            counts_.free += claim("free list", number, 1) ? 1U : 0U;
        }
    }

    void read_free(const Node& node, std::vector<std::uint64_t>& free) {
        std::string bytes(node.value);
        if ((node.flags & big_data) != 0) {
            if (node.size > bytes_ || !read("free list", node.value_at, pages_of(node.size), bytes)) {
                return;
            }
            bytes = bytes.substr(header_bytes, static_cast<std::size_t>(node.size));
        }
        const auto count = at<std::uint64_t>(bytes, 0);
        if (bytes.size() % sizeof(count) != 0 || count > bytes.size() / sizeof(count) - 1) {
            problems_.add("tree free list, " + spell_key(node.key) + ": its list of pages is damaged");
            return;
        }
        for (std::uint64_t i = 1; i <= count; ++i) {
            free.push_back(at<std::uint64_t>(bytes, static_cast<std::size_t>(i) * sizeof(count)));
        }
    }

    void walk_main(const TreeRecord& record) {
        Tree main{.name = "main", .record = record};
        std::vector<std::pair<std::string, std::string>> trees;
        main.use = [this, &trees](const Node& node) {
            if (node.flags != sub_data || node.value.size() != tree_bytes) {
                problems_.add("tree main, " + spell_key(node.key) + ": is not the record of a tree");
                return;
            }
            trees.emplace_back(node.key, node.value);
        };
        walk(main);
        for (const auto& [name, bytes] : trees) {
            const TreeRecord record_of_tree(bytes);
            Tree tree{.name = is_known(name) ? name : spell_key(name), .record = record_of_tree};
            if (!is_known(name)) {
                problems_.add("there is a tree by a name that is none of ours: " + tree.name);
            }
            if (record_of_tree.flags != 0 || record_of_tree.pad != 0) {
                problems_.add("tree " + tree.name + ": its record gives a kind that cannot be");
            }
            walk(tree);
        }
    }

    static bool is_known(std::string_view name) {
        for (std::size_t i = 0; i < tree_count; ++i) {
            if (tree_name(static_cast<storage::Tree>(i)) == name) {
                return true;
            }
        }
        return false;
    }

    void walk(Tree& tree) {
        const TreeRecord& record = tree.record;
        if (record.depth > depth_max) {
            problems_.add("tree " + tree.name + ": is " + spell(record.depth) + " pages deep, which cannot be");
            return;
        }
        const std::uint64_t before = problems_.count;
        if (record.root != none) {
            walk_page(tree, record.root, 1, {});
        }
        const bool empty = record.root == none;
        const bool fits = tree.entries == record.entries && tree.leaf_pages == record.leaf_pages &&
                          tree.branch_pages == record.branch_pages && tree.overflow_pages == record.overflow_pages;
        if (problems_.count == before && (!fits || (empty && record.depth != 0))) {
            problems_.add("tree " + tree.name + ": its record tells of " + spell(record.entries) + " entries, it has " +
                          spell(tree.entries));
        }
    }

    // The recursion is at most depth_max deep.
    void walk_page(Tree& tree, std::uint64_t number, unsigned depth, const Range& range) {
        std::string bytes;
        if (!claim(tree.name, number, 1) || !read(tree.name, number, 1, bytes)) {
            return;
        }
        ++counts_.used;
        const Header header(bytes);
        const std::uint16_t kind = depth == tree.record.depth ? leaf : branch;
        if (header.number != number || header.kind != kind || depth > tree.record.depth) {
            return wrong(tree.name, number, "is not the page that belongs there");
        }
        if (header.lower % 2 != 0 || header.nodes() == 0 || header.lower > header.upper ||
            header.upper > bytes.size()) {
            return wrong(tree.name, number, "its head is damaged");
        }
        (kind == leaf ? tree.leaf_pages : tree.branch_pages) += 1;
        std::vector<Node> nodes;
        if (read_nodes(tree, number, bytes, range, nodes)) {
            kind == leaf ? use_leaf(tree, nodes) : use_branch(tree, nodes, depth, range);
        }
    }

    bool read_nodes(const Tree& tree, std::uint64_t number, std::string_view bytes, const Range& range,
                    std::vector<Node>& nodes) {
        const Header header(bytes);
        for (std::size_t i = 0; i < header.nodes(); ++i) {
            const auto node = read_node(bytes, header, i);
            if (!node) {
                wrong(tree.name, number, "entry " + spell(i) + " reaches beyond the page");
                return false;
            }
            nodes.push_back(*node);
            const bool first_of_branch = header.kind == branch && i == 0; // its key is never looked at
            if (first_of_branch) {
                continue;
            }
            const bool sized = tree.numbers ? node->key.size() == sizeof(std::uint64_t)
                                            : !node->key.empty() && node->key.size() <= key_bytes_max;
            const bool has_before = i > (header.kind == branch ? 1U : 0U);
            if (!sized || (has_before && !less(tree, nodes[i - 1].key, node->key)) ||
                (range.low && less(tree, node->key, *range.low)) ||
                (range.high && !less(tree, node->key, *range.high))) {
                wrong(tree.name, number, spell_key(node->key) + " is not in its place");
                return false;
            }
        }
        return true;
    }

    static bool less(const Tree& tree, std::string_view a, std::string_view b) {
        return tree.numbers ? at<std::uint64_t>(a, 0) < at<std::uint64_t>(b, 0) : a < b;
    }

    void use_branch(Tree& tree, const std::vector<Node>& nodes, unsigned depth, const Range& range) {
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            Range below = range;
            if (i > 0) {
                below.low = std::string(nodes[i].key);
            }
            if (i + 1 < nodes.size()) {
                below.high = std::string(nodes[i + 1].key);
            }
            walk_page(tree, nodes[i].child, depth + 1, below);
        }
    }

    void use_leaf(Tree& tree, const std::vector<Node>& nodes) {
        for (const Node& node : nodes) {
            ++tree.entries;
            if ((node.flags & ~(big_data | sub_data)) != 0 || ((node.flags & sub_data) != 0 && tree.name != "main")) {
                problems_.add("tree " + tree.name + ", " + spell_key(node.key) + ": its kind cannot be");
                continue;
            }
            if ((node.flags & big_data) == 0 || check_overflow(tree, node)) {
                if (tree.use) {
                    tree.use(node);
                }
            }
        }
    }

    std::uint64_t pages_of(std::uint64_t size) const { return (header_bytes - 1 + size) / page_bytes_ + 1; }

    bool check_overflow(Tree& tree, const Node& node) {
        const std::uint64_t pages = pages_of(node.size);
        if (!claim(tree.name, node.value_at, pages) || !there(tree.name, node.value_at, pages)) {
            return false;
        }
        counts_.used += pages;
        tree.overflow_pages += pages;
        std::string bytes(header_bytes, '\0');
        if (const int rc = read_at(file_, bytes, node.value_at * page_bytes_); rc != 0) {
            errno_ = rc;
            return false;
        }
        const Header header(bytes);
        if (header.number != node.value_at || header.kind != overflow || header.pages != pages) {
            wrong(tree.name, node.value_at, "does not begin the value of " + spell_key(node.key));
            return false;
        }
        return true;
    }

    int file_;
    std::uint64_t bytes_;
    FileEnd ends_;
    Problems& problems_;
    const Progress& progress_;
    std::size_t page_bytes_ = 0;
    std::uint64_t last_ = 0;
    std::uint64_t looked_at_ = 0;
    std::vector<bool> taken_{};
    PageCounts counts_{};
    int errno_ = 0;
};

} // namespace

Result<PageCounts> check_pages(int file, std::uint64_t bytes, FileEnd ends, Problems& problems,
                               const Progress& progress) {
    return PageChecker(file, bytes, ends, problems, progress).run();
}

} // namespace tocsin::storage
