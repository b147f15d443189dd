/* SPDX-License-Identifier: Apache-2.0 */
/* file_os.c: file.h on a POSIX kernel.
 *
 * Why     everything relative to one folder descriptor, so that a moved working directory changes nothing;
 *         interrupted and short calls go on until done
 * Thread  any */
#include "store/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat */
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/must.h"

static const struct file_ops file_os_ops;

static int file_os_root(void *self)
{
    return ((const struct file_os *)self)->root;
}

struct err file_os_open(struct file_os *os, const char *root, struct file_system *out)
{
    os->root = AT_FDCWD;
    if (root && *root) {
        os->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (os->root < 0) {
            os->root = AT_FDCWD;
            return file_fail(errno, "the root folder does not open");
        }
    }
    *out = (struct file_system){&file_os_ops, os};
    return NO_ERR;
}

void file_os_close(struct file_os *os)
{
    if (os->root >= 0) close(os->root);
    os->root = AT_FDCWD;
}

static struct err os_open(void *self, const char *path, enum file_mode mode, struct file *out)
{
    static const int flags[] = {
        [FILE_READ] = O_RDONLY,
        [FILE_WRITE] = O_RDWR,
        [FILE_CREATE] = O_RDWR | O_CREAT,
        [FILE_NEW] = O_RDWR | O_CREAT | O_EXCL,
    };
    do out->v = openat(file_os_root(self), path, flags[mode] | O_CLOEXEC | O_NOCTTY, 0640);
    while (out->v < 0 && errno == EINTR);
    if (out->v < 0) return file_fail(errno, "a file does not open");
    return NO_ERR;
}

static void os_close(void *self, struct file file)
{
    (void)self;
    close(file.v); /* after EINTR the descriptor is gone on Linux; what mattered was synced */
}

static struct err os_read_at(void *self, struct file file, uint64_t at, void *to, size_t len,
                             size_t *got)
{
    (void)self;
    while (*got < len) {
        ssize_t n = pread(file.v, (uint8_t *)to + *got, len - *got, (off_t)(at + *got));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return file_fail(errno, "a read failed");
        if (n == 0) break;
        *got += (size_t)n;
    }
    return NO_ERR;
}

static struct err os_write_at(void *self, struct file file, uint64_t at, const void *from,
                              size_t len)
{
    (void)self;
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(file.v, (const uint8_t *)from + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return file_fail(errno, "a write failed");
        if (n == 0) return file_fail(EIO, "a write wrote nothing");
        done += (size_t)n;
    }
    return NO_ERR;
}

static struct err os_sync_data(void *self, struct file file)
{
    (void)self;
    /* Not again after EINTR: whether the first try already dropped an error is unknowable. */
    if (fdatasync(file.v) < 0) return file_fail(errno, "a sync failed");
    return NO_ERR;
}

static struct err os_size(void *self, struct file file, uint64_t *out)
{
    (void)self;
    struct stat st;
    if (fstat(file.v, &st) < 0) return file_fail(errno, "a size is not known");
    *out = (uint64_t)st.st_size;
    return NO_ERR;
}

static struct err os_truncate(void *self, struct file file, uint64_t size)
{
    (void)self;
    int rc;
    do rc = ftruncate(file.v, (off_t)size);
    while (rc < 0 && errno == EINTR);
    return rc < 0 ? file_fail(errno, "a truncate failed") : NO_ERR;
}

static struct err os_map(void *self, struct file file, size_t len, void **out)
{
    uint64_t size;
    TRY(os_size(self, file, &size));
    if (size < len) return file_fail(EINVAL, "a map is larger than its file");
    void *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, file.v, 0);
    if (at == MAP_FAILED) return file_fail(errno, "a map failed");
    *out = at;
    return NO_ERR;
}

static void os_unmap(void *self, void *at, size_t len)
{
    (void)self;
    must(munmap(at, len) == 0);
}

static struct err os_info(void *self, const char *path, struct file_info *out)
{
    struct stat st;
    if (fstatat(file_os_root(self), path, &st, 0) < 0) {
        return file_fail(errno, "a path is not there");
    }
    *out = (struct file_info){(uint64_t)st.st_size, S_ISDIR(st.st_mode)};
    return NO_ERR;
}

static struct err os_rename(void *self, const char *from, const char *to)
{
    int root = file_os_root(self);
    if (renameat(root, from, root, to) < 0) return file_fail(errno, "a rename failed");
    return NO_ERR;
}

static struct err os_remove(void *self, const char *path)
{
    if (unlinkat(file_os_root(self), path, 0) < 0) return file_fail(errno, "a remove failed");
    return NO_ERR;
}

static struct err os_list(void *self, const char *folder, file_on_name *on_name, void *ctx)
{
    int fd = openat(file_os_root(self), folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return file_fail(errno, "a folder does not open");
    DIR *dir = fdopendir(fd);
    if (!dir) {
        struct err e = file_fail(errno, "a folder does not list");
        close(fd);
        return e;
    }
    struct err e = NO_ERR;
    while (!e.code) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry) {
            if (errno) e = file_fail(errno, "a folder does not list");
            break;
        }
        const char *n = entry->d_name;
        if (n[0] == '.' && (!n[1] || (n[1] == '.' && !n[2]))) continue;
        e = on_name(ctx, n);
    }
    closedir(dir);
    return e;
}

static struct err os_make_folder(void *self, const char *folder)
{
    if (mkdirat(file_os_root(self), folder, 0750) < 0 && errno != EEXIST) {
        return file_fail(errno, "a folder cannot be made");
    }
    return NO_ERR;
}

static struct err os_sync_folder(void *self, const char *folder)
{
    int fd = openat(file_os_root(self), folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return file_fail(errno, "a folder does not open");
    struct err e = fsync(fd) < 0 ? file_fail(errno, "a folder's sync failed") : NO_ERR;
    close(fd);
    return e;
}

static struct err os_lock(void *self, const char *path, struct file *out)
{
    TRY(os_open(self, path, FILE_CREATE, out));
    /* flock: belongs to the open file, so another library closing the same path cannot drop it. */
    if (flock(out->v, LOCK_EX | LOCK_NB) == 0) return NO_ERR;
    struct err e = file_fail(errno, "locked by another");
    os_close(self, *out);
    *out = FILE_NONE;
    return e;
}

static struct err os_free_bytes(void *self, const char *folder, uint64_t *out)
{
    int fd = openat(file_os_root(self), folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return file_fail(errno, "a folder does not open");
    struct statvfs st;
    struct err e = fstatvfs(fd, &st) < 0 ? file_fail(errno, "free space is not known") : NO_ERR;
    if (!e.code) *out = (uint64_t)st.f_bavail * st.f_frsize;
    close(fd);
    return e;
}

static const struct file_ops file_os_ops = {
    .open = os_open,
    .close = os_close,
    .read_at = os_read_at,
    .write_at = os_write_at,
    .sync_data = os_sync_data,
    .size = os_size,
    .truncate = os_truncate,
    .map = os_map,
    .unmap = os_unmap,
    .info = os_info,
    .rename = os_rename,
    .remove = os_remove,
    .list = os_list,
    .make_folder = os_make_folder,
    .sync_folder = os_sync_folder,
    .lock = os_lock,
    .free_bytes = os_free_bytes,
};
