// SPDX-License-Identifier: Apache-2.0
// Preloaded into the daemon: records every write and flush of the file named data.mdb into $FLUSH_SHIM_LOG, so that a
// test can rebuild the file as a power cut at any instant might have left it. A page cache survives a kill; this does
// not. Record: u8 kind (1 write, 2 write that is its own flush, 3 flush), i64 CLOCK_MONOTONIC ns when done, i64 offset,
// u64 length, then the bytes. A write through an O_DSYNC descriptor is durable itself but flushes nothing before it.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { PLAIN = 1, SYNCED = 2, FLUSH = 3, FDS = 1024 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char tracked[FDS]; // 0, PLAIN or SYNCED: how writes through this descriptor count
static int log_fd = -1;

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void put(const void* bytes, size_t length) {
    const char* at = bytes;
    while (length > 0) {
        ssize_t done = NEXT(write)(log_fd, at, length);
        if (done <= 0) {
            abort();
        }
        at += done;
        length -= (size_t)done;
    }
}

static void record(unsigned char kind, int64_t offset, const struct iovec* parts, int count, uint64_t length) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    pthread_mutex_lock(&lock);
    put(&kind, 1);
    put(&ns, 8);
    put(&offset, 8);
    put(&length, 8);
    uint64_t left = length;
    for (int i = 0; i < count && left > 0; i++) {
        uint64_t part = parts[i].iov_len < left ? parts[i].iov_len : left;
        put(parts[i].iov_base, part);
        left -= part;
    }
    pthread_mutex_unlock(&lock);
}

static int is_tracked(int fd) {
    return fd >= 0 && fd < FDS && tracked[fd];
}

static int opened(int fd, const char* path, int flags) {
    if (fd < 0 || fd >= FDS) {
        return fd;
    }
    const char* name = strrchr(path, '/');
    tracked[fd] = 0;
    if (strcmp(name ? name + 1 : path, "data.mdb") != 0) {
        return fd;
    }
    if (log_fd < 0) {
        const char* target = getenv("FLUSH_SHIM_LOG");
        if (!target || (log_fd = NEXT(open)(target, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0) {
            abort();
        }
    }
    tracked[fd] = (flags & O_DSYNC) ? SYNCED : PLAIN;
    return fd;
}

#define OPEN_MODE(flags, last)                                                                                         \
    mode_t mode = 0;                                                                                                   \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                                             \
        va_list list;                                                                                                  \
        va_start(list, last);                                                                                          \
        mode = va_arg(list, mode_t);                                                                                   \
        va_end(list);                                                                                                  \
    }

int open(const char* path, int flags, ...) {
    OPEN_MODE(flags, flags)
    return opened(NEXT(open)(path, flags, mode), path, flags);
}
int open64(const char* path, int flags, ...) {
    OPEN_MODE(flags, flags)
    return opened(NEXT(open64)(path, flags, mode), path, flags);
}
int openat(int dir, const char* path, int flags, ...) {
    OPEN_MODE(flags, flags)
    return opened(NEXT(openat)(dir, path, flags, mode), path, flags);
}
int close(int fd) {
    if (fd >= 0 && fd < FDS) {
        tracked[fd] = 0;
    }
    return NEXT(close)(fd);
}

ssize_t pwrite(int fd, const void* bytes, size_t length, off_t offset) {
    ssize_t done = NEXT(pwrite)(fd, bytes, length, offset);
    struct iovec part = {(void*)bytes, length};
    if (is_tracked(fd) && done > 0) {
        record(tracked[fd], offset, &part, 1, (uint64_t)done);
    }
    return done;
}
ssize_t pwrite64(int fd, const void* bytes, size_t length, off64_t offset) {
    return pwrite(fd, bytes, length, offset);
}

ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t offset) {
    ssize_t done = NEXT(pwritev)(fd, parts, count, offset);
    if (is_tracked(fd) && done > 0) {
        record(tracked[fd], offset, parts, count, (uint64_t)done);
    }
    return done;
}
ssize_t pwritev64(int fd, const struct iovec* parts, int count, off64_t offset) {
    return pwritev(fd, parts, count, offset);
}

ssize_t write(int fd, const void* bytes, size_t length) {
    off_t offset = is_tracked(fd) ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t done = NEXT(write)(fd, bytes, length);
    struct iovec part = {(void*)bytes, length};
    if (is_tracked(fd) && done > 0) {
        record(tracked[fd], offset, &part, 1, (uint64_t)done);
    }
    return done;
}
ssize_t writev(int fd, const struct iovec* parts, int count) {
    off_t offset = is_tracked(fd) ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t done = NEXT(writev)(fd, parts, count);
    if (is_tracked(fd) && done > 0) {
        record(tracked[fd], offset, parts, count, (uint64_t)done);
    }
    return done;
}

static int flushed(int fd, int rc) {
    if (rc == 0 && is_tracked(fd)) {
        record(FLUSH, 0, NULL, 0, 0);
    }
    return rc;
}
int fdatasync(int fd) {
    return flushed(fd, NEXT(fdatasync)(fd));
}
int fsync(int fd) {
    return flushed(fd, NEXT(fsync)(fd));
}
