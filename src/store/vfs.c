/* SPDX-License-Identifier: Apache-2.0 */
/* vfs.c: the calls of sqlite3_vfs, answered by file.h. */
#include "store/vfs.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/prng.h"

#define UNIX_EPOCH_JULIAN_MS 210866760000000ll
#define VFS_TEMP_NAME_MAX 40u

/* Who may do what with one database; SQLite's five levels, for one process. */
struct vfs_lock {
    char path[FILE_PATH_MAX];
    unsigned users, shared;
    const void *writer; /* the file at RESERVED or above */
    int writer_level;
};

struct vfs {
    sqlite3_vfs base;
    struct vfs_options options;
    struct prng prng;
    uint64_t temp_count;
    struct vfs_lock locks[VFS_LOCKED_FILES_MAX];
};

struct vfs_file {
    sqlite3_file base;
    struct vfs *vfs;
    struct file file;
    const char *path; /* SQLite keeps it until xClose, or temp */
    char temp[VFS_TEMP_NAME_MAX];
    bool remove_on_close;
    bool name_unsynced; /* made here: the first sync has to sync the folder too */
    struct vfs_lock *lock;
    int level;
};

static int vfs_open(sqlite3_vfs *base, const char *path, sqlite3_file *file, int flags, int *out);
static int vfs_delete(sqlite3_vfs *base, const char *path, int sync_folder);
static int vfs_access(sqlite3_vfs *base, const char *path, int flags, int *out);
static int vfs_full_pathname(sqlite3_vfs *base, const char *path, int len, char *out);
static int vfs_randomness(sqlite3_vfs *base, int len, char *out);
static int vfs_sleep(sqlite3_vfs *base, int micros);
static int vfs_current_time(sqlite3_vfs *base, double *out);
static int vfs_current_time_ms(sqlite3_vfs *base, sqlite3_int64 *out);
static int vfs_last_error(sqlite3_vfs *base, int len, char *out);
static const sqlite3_io_methods vfs_methods;

struct err vfs_create(struct vfs **out, const struct vfs_options *options)
{
    *out = NULL;
    struct vfs *v = calloc(1, sizeof *v);
    if (!v) return ERR(FULL, "no memory for a vfs");
    v->options = *options;
    v->prng = prng_of(options->seed, bytes_text("vfs"));
    v->base = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = sizeof(struct vfs_file),
        .mxPathname = FILE_PATH_MAX - 1,
        .zName = options->name,
        .pAppData = v,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_pathname,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_current_time,
        .xGetLastError = vfs_last_error,
        .xCurrentTimeInt64 = vfs_current_time_ms,
    };
    if (sqlite3_vfs_register(&v->base, 0) != SQLITE_OK) {
        free(v);
        return ERR(IO, "SQLite takes no vfs");
    }
    *out = v;
    return NO_ERR;
}

void vfs_destroy(struct vfs *v)
{
    if (!v) return;
    for (size_t i = 0; i < VFS_LOCKED_FILES_MAX; i++) must(!v->locks[i].users);
    sqlite3_vfs_unregister(&v->base);
    free(v);
}

static struct vfs *vfs_of(sqlite3_vfs *base)
{
    return base->pAppData;
}

/* The folder of `path`, "." for none; `out` has FILE_PATH_MAX. */
static void folder_of(const char *path, char *out)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    must(len < FILE_PATH_MAX);
    memcpy(out, len ? path : ".", len ? len : 1);
    out[len ? len : 1] = '\0';
}

static int code_of(struct err e, int io)
{
    if (e.code == ERR_OK) return SQLITE_OK;
    return e.code == ERR_FULL ? SQLITE_FULL : io;
}

static struct vfs_lock *lock_of(struct vfs *v, const char *path)
{
    struct vfs_lock *empty = NULL;
    for (size_t i = 0; i < VFS_LOCKED_FILES_MAX; i++) {
        struct vfs_lock *l = &v->locks[i];
        if (l->users && strcmp(l->path, path) == 0) {
            l->users++;
            return l;
        }
        if (!l->users && !empty) empty = l;
    }
    if (!empty) return NULL;
    *empty = (struct vfs_lock){.users = 1};
    memcpy(empty->path, path, strlen(path) + 1);
    return empty;
}

static int vfs_open(sqlite3_vfs *base, const char *path, sqlite3_file *file, int flags, int *out)
{
    struct vfs *v = vfs_of(base);
    struct vfs_file *f = (struct vfs_file *)file;
    struct file_info info;
    *f = (struct vfs_file){.vfs = v, .file = FILE_NONE, .path = path};
    if (!path) {
        snprintf(f->temp, sizeof f->temp, "sqlite-temp-%llu", (unsigned long long)++v->temp_count);
        f->path = f->temp;
    }
    if (strlen(f->path) >= FILE_PATH_MAX) return SQLITE_CANTOPEN;
    f->remove_on_close = !path || (flags & SQLITE_OPEN_DELETEONCLOSE);
    bool create = (flags & SQLITE_OPEN_CREATE) != 0;
    /* A journal or WAL that is there may have been made by a process that ended before it synced the name. */
    bool journal = flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL | SQLITE_OPEN_SUPER_JOURNAL);
    f->name_unsynced = create && (journal || file_info(v->options.fs, f->path, &info).code == ERR_NOT_FOUND);
    enum file_mode mode = flags & SQLITE_OPEN_READONLY ? FILE_READ : create ? FILE_CREATE : FILE_WRITE;
    if (flags & SQLITE_OPEN_EXCLUSIVE) mode = FILE_NEW;
    struct err e = file_open(v->options.fs, f->path, mode, &f->file);
    if (e.code) return SQLITE_CANTOPEN;
    if (flags & SQLITE_OPEN_MAIN_DB && !(f->lock = lock_of(v, f->path))) {
        file_close(v->options.fs, &f->file);
        return SQLITE_CANTOPEN;
    }
    if (out) *out = flags;
    f->base.pMethods = &vfs_methods;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *base, const char *path, int sync_folder)
{
    char folder[FILE_PATH_MAX];
    const struct file_system *fs = vfs_of(base)->options.fs;
    struct err e = file_remove(fs, path);
    if (e.code == ERR_NOT_FOUND) return SQLITE_IOERR_DELETE_NOENT;
    if (!e.code && sync_folder) {
        folder_of(path, folder);
        e = file_sync_folder(fs, folder);
    }
    return code_of(e, SQLITE_IOERR_DELETE);
}

static int vfs_access(sqlite3_vfs *base, const char *path, int flags, int *out)
{
    struct file_info info;
    struct err e = file_info(vfs_of(base)->options.fs, path, &info);
    if (e.code && e.code != ERR_NOT_FOUND) return SQLITE_IOERR_ACCESS;
    /* An empty rollback journal or WAL counts as none, as in SQLite's own. */
    *out = !e.code && (flags != SQLITE_ACCESS_EXISTS || info.folder || info.size > 0);
    return SQLITE_OK;
}

static int vfs_full_pathname(sqlite3_vfs *base, const char *path, int len, char *out)
{
    (void)base;
    if (strlen(path) >= (size_t)len) return SQLITE_CANTOPEN;
    memcpy(out, path, strlen(path) + 1);
    return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *base, int len, char *out)
{
    for (int i = 0; i < len; i++) out[i] = (char)prng_next(&vfs_of(base)->prng);
    return len;
}

static int vfs_sleep(sqlite3_vfs *base, int micros)
{
    (void)base;
    return micros;
}

static int vfs_current_time_ms(sqlite3_vfs *base, sqlite3_int64 *out)
{
    const struct vfs_options *o = &vfs_of(base)->options;
    *out = UNIX_EPOCH_JULIAN_MS + (o->now_ms ? o->now_ms(o->ctx) : 0);
    return SQLITE_OK;
}

static int vfs_current_time(sqlite3_vfs *base, double *out)
{
    sqlite3_int64 ms;
    vfs_current_time_ms(base, &ms);
    *out = (double)ms / 86400000.0;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *base, int len, char *out)
{
    (void)base, (void)len, (void)out;
    return file_last_errno();
}

static int vfs_unlock(sqlite3_file *file, int level)
{
    struct vfs_file *f = (struct vfs_file *)file;
    struct vfs_lock *l = f->lock;
    if (!l || level >= f->level) return SQLITE_OK;
    if (l->writer == f) l->writer = NULL;
    if (level == SQLITE_LOCK_NONE) l->shared--;
    f->level = level;
    return SQLITE_OK;
}

static int vfs_lock(sqlite3_file *file, int level)
{
    struct vfs_file *f = (struct vfs_file *)file;
    struct vfs_lock *l = f->lock;
    if (!l || level <= f->level) return SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED) {
        if (l->writer && l->writer_level >= SQLITE_LOCK_PENDING) return SQLITE_BUSY;
        l->shared++;
    } else {
        if (l->writer && l->writer != f) return SQLITE_BUSY;
        l->writer = f;
        l->writer_level = level == SQLITE_LOCK_EXCLUSIVE ? SQLITE_LOCK_PENDING : level;
        if (level == SQLITE_LOCK_EXCLUSIVE && l->shared > 1) {
            f->level = SQLITE_LOCK_PENDING;
            return SQLITE_BUSY;
        }
        l->writer_level = level;
    }
    f->level = level;
    return SQLITE_OK;
}

static int vfs_check_reserved(sqlite3_file *file, int *out)
{
    const struct vfs_file *f = (struct vfs_file *)file;
    *out = f->lock && f->lock->writer;
    return SQLITE_OK;
}

static int vfs_close(sqlite3_file *file)
{
    struct vfs_file *f = (struct vfs_file *)file;
    vfs_unlock(file, SQLITE_LOCK_NONE);
    if (f->lock) f->lock->users--;
    file_close(f->vfs->options.fs, &f->file);
    if (!f->remove_on_close) return SQLITE_OK;
    return code_of(file_remove(f->vfs->options.fs, f->path), SQLITE_IOERR_CLOSE);
}

static int vfs_read(sqlite3_file *file, void *to, int len, sqlite3_int64 at)
{
    const struct vfs_file *f = (struct vfs_file *)file;
    size_t got;
    struct err e = file_read_at(f->vfs->options.fs, f->file, (uint64_t)at, to, (size_t)len, &got);
    if (e.code) return SQLITE_IOERR_READ;
    if (got == (size_t)len) return SQLITE_OK;
    memset((uint8_t *)to + got, 0, (size_t)len - got);
    return SQLITE_IOERR_SHORT_READ;
}

static int vfs_write(sqlite3_file *file, const void *from, int len, sqlite3_int64 at)
{
    const struct vfs_file *f = (struct vfs_file *)file;
    return code_of(file_write_at(f->vfs->options.fs, f->file, (uint64_t)at, from, (size_t)len),
                   SQLITE_IOERR_WRITE);
}

static int vfs_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    const struct vfs_file *f = (struct vfs_file *)file;
    return code_of(file_truncate(f->vfs->options.fs, f->file, (uint64_t)size),
                   SQLITE_IOERR_TRUNCATE);
}

static int vfs_sync(sqlite3_file *file, int flags)
{
    struct vfs_file *f = (struct vfs_file *)file;
    char folder[FILE_PATH_MAX];
    (void)flags;
    struct err e = file_sync_data(f->vfs->options.fs, f->file);
    if (!e.code && f->name_unsynced) {
        folder_of(f->path, folder);
        e = file_sync_folder(f->vfs->options.fs, folder);
        if (!e.code) f->name_unsynced = false;
    }
    return code_of(e, SQLITE_IOERR_FSYNC);
}

static int vfs_file_size(sqlite3_file *file, sqlite3_int64 *out)
{
    const struct vfs_file *f = (struct vfs_file *)file;
    uint64_t size;
    struct err e = file_size(f->vfs->options.fs, f->file, &size);
    *out = (sqlite3_int64)size;
    return code_of(e, SQLITE_IOERR_FSTAT);
}

static int vfs_file_control(sqlite3_file *file, int op, void *arg)
{
    (void)file, (void)op, (void)arg;
    return SQLITE_NOTFOUND;
}

static int vfs_sector_size(sqlite3_file *file)
{
    (void)file;
    return 4096;
}

static int vfs_characteristics(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE; /* disk.h promises it, and so do disks */
}

static const sqlite3_io_methods vfs_methods = {
    .iVersion = 1, /* no shared memory */
    .xClose = vfs_close,
    .xRead = vfs_read,
    .xWrite = vfs_write,
    .xTruncate = vfs_truncate,
    .xSync = vfs_sync,
    .xFileSize = vfs_file_size,
    .xLock = vfs_lock,
    .xUnlock = vfs_unlock,
    .xCheckReservedLock = vfs_check_reserved,
    .xFileControl = vfs_file_control,
    .xSectorSize = vfs_sector_size,
    .xDeviceCharacteristics = vfs_characteristics,
};
