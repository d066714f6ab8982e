// Makes calls of the program fail, when loaded before the system's library: the
// call named by FAULT_CALL, on files whose path holds FAULT_PATH, when more than
// FAULT_AFTER bytes or calls were asked for, with the error number FAULT_ERRNO.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static long passed;

// Whether this call on this path fails, with `amount` more asked for.
static int fails(const char *call, const char *path, long amount) {
    const char *wanted = getenv("FAULT_CALL"), *part = getenv("FAULT_PATH");
    const char *after = getenv("FAULT_AFTER"), *number = getenv("FAULT_ERRNO");
    if (!wanted || !part || !number || strcmp(wanted, call) || !strstr(path, part)) return 0;
    long before = __atomic_fetch_add(&passed, amount, __ATOMIC_SEQ_CST);
    if (before + amount <= (after ? atol(after) : 0)) return 0;
    errno = atoi(number);
    return 1;
}

static int fails_fd(const char *call, int fd, long amount) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fails(call, path, amount);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t count) {
    return fails_fd("write", fd, count) ? -1 : NEXT(write)(fd, bytes, count);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    return fails_fd("write", fd, 1) ? -1 : NEXT(writev)(fd, parts, count);
}

ssize_t read(int fd, void *bytes, size_t count) {
    ssize_t given = NEXT(read)(fd, bytes, count);
    return given >= 0 && fails_fd("read", fd, given) ? -1 : given;
}

int fsync(int fd) {
    return fails_fd("fsync", fd, 1) ? -1 : NEXT(fsync)(fd);
}

int rename(const char *from, const char *to) {
    return fails("rename", to, 1) ? -1 : NEXT(rename)(from, to);
}

int mkdir(const char *path, mode_t mode) {
    return fails("mkdir", path, 1) ? -1 : NEXT(mkdir)(path, mode);
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    const char *call = flags & (O_WRONLY | O_RDWR) ? "create" : "open";
    return fails(call, path, 1) ? -1 : NEXT(open64)(path, flags, mode);
}
