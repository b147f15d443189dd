/* SPDX-License-Identifier: Apache-2.0 */
/* disk.c: file.h on a platter in memory, and the faults that its calls meet. */
#include "sim/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "sim/disk_platter.h"

struct disk_handle {
    int32_t v; /* never used twice: a dead process's handle stays dead */
    struct disk_inode *inode;
    bool write, lock;
};

struct disk_mapping {
    void *at;
    struct disk_inode *inode;
};

struct disk {
    struct disk_platter platter;
    struct disk_handle *handles;
    size_t handle_count, handle_cap;
    struct disk_mapping *mappings;
    size_t mapping_count, mapping_cap;
    char **folders;
    size_t folder_count, folder_cap;
    int32_t next_handle;
    struct disk_faults faults;
    uint64_t calls, calls_at_set;
    bool fired, stopped;
};

/* What a call is to do: the last two tell a dying process's call that half happened. */
enum turn { TURN_DO, TURN_FAIL, TURN_FAIL_PARTLY };

static const struct file_ops disk_ops;

struct disk *disk_create(uint64_t seed)
{
    struct disk *d = calloc(1, sizeof *d);
    must(d);
    platter_init(&d->platter, seed);
    return d;
}

void disk_destroy(struct disk *d)
{
    if (!d) return;
    for (size_t i = 0; i < d->folder_count; i++) free(d->folders[i]);
    free(d->folders);
    free(d->handles);
    free(d->mappings);
    platter_fini(&d->platter);
    free(d);
}

struct file_system disk_files(struct disk *d)
{
    return (struct file_system){&disk_ops, d};
}

void disk_set_faults(struct disk *d, struct disk_faults faults)
{
    d->faults = faults;
    d->calls_at_set = d->calls;
    d->fired = false;
}

bool disk_fired(const struct disk *d)
{
    return d->fired;
}

uint64_t disk_calls(const struct disk *d)
{
    return d->calls;
}

void disk_stop(struct disk *d)
{
    d->stopped = true;
}

void disk_crash(struct disk *d, enum disk_crash kind)
{
    d->handle_count = 0;
    d->mapping_count = 0;
    platter_crash(&d->platter, kind);
    d->stopped = false;
    disk_set_faults(d, (struct disk_faults){0});
}

static void flip(uint8_t *at, size_t len, uint64_t where, unsigned bit)
{
    if (where < len) at[where] ^= (uint8_t)(1u << (bit & 7));
}

struct err disk_flip(struct disk *d, const char *path, uint64_t at, unsigned bit)
{
    struct disk_inode *i = platter_find(&d->platter, path);
    if (!i || at >= i->now.len) return file_fail(ENOENT, "no such byte");
    flip(i->now.at, i->now.len, at, bit);
    flip(i->kept.at, i->kept.len, at, bit);
    flip(i->map, i->map_len, at, bit);
    d->platter.faults[DISK_FAULT_BIT_FLIPPED]++;
    return NO_ERR;
}

uint64_t disk_fault_count(const struct disk *d, enum disk_fault fault)
{
    return d->platter.faults[fault];
}

const char *disk_fault_text(enum disk_fault fault)
{
    static const char *const text[DISK_FAULT_N] = {
#define X(name, words) words,
        DISK_FAULT_LIST(X)
#undef X
    };
    return text[fault];
}

/* Every call begins here: counts it and draws what it meets. */
static enum turn disk_turn(struct disk *d, uint32_t fail_ppm, enum disk_fault fault)
{
    struct prng *prng = &d->platter.prng;
    uint64_t nth = ++d->calls - d->calls_at_set;
    if (d->stopped) return TURN_FAIL;
    if (d->faults.stop_nth && nth >= d->faults.stop_nth) {
        d->stopped = d->fired = true;
        return prng_chance(prng, 500000) ? TURN_FAIL : TURN_FAIL_PARTLY;
    }
    bool fails = d->faults.fail_nth == nth;
    if (fails) d->fired = true;
    if (!fails && (!fail_ppm || !prng_chance(prng, fail_ppm))) return TURN_DO;
    d->platter.faults[fault]++;
    return prng_chance(prng, 500000) ? TURN_FAIL : TURN_FAIL_PARTLY;
}

static enum turn other_turn(struct disk *d)
{
    return disk_turn(d, d->faults.call_fail_ppm, DISK_FAULT_CALL_FAILED);
}

static struct disk_handle *handle_of(struct disk *d, struct file file)
{
    for (size_t i = 0; i < d->handle_count; i++) {
        if (d->handles[i].v == file.v) return &d->handles[i];
    }
    return NULL;
}

static struct err handle_open(struct disk *d, struct disk_inode *inode, bool write, bool lock,
                              struct file *out)
{
    if (d->handle_count == d->handle_cap) {
        d->handle_cap = d->handle_cap ? d->handle_cap * 2 : 16;
        d->handles = realloc(d->handles, d->handle_cap * sizeof *d->handles);
        must(d->handles);
    }
    struct disk_handle h = {d->next_handle++, inode, write, lock};
    d->handles[d->handle_count++] = h;
    inode->handles++;
    out->v = h.v;
    return NO_ERR;
}

static bool is_folder(const struct disk *d, const char *path)
{
    for (size_t i = 0; i < d->folder_count; i++) {
        if (strcmp(d->folders[i], path) == 0) return true;
    }
    return false;
}

/* Files in the root need no folder. */
static bool has_folder(const struct disk *d, const char *path)
{
    char folder[FILE_PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    if (len >= sizeof folder) return false;
    memcpy(folder, path, len);
    folder[len] = '\0';
    return !len || is_folder(d, folder);
}

static struct err op_open(void *self, const char *path, enum file_mode mode, struct file *out)
{
    struct disk *d = self;
    if (other_turn(d) != TURN_DO) return file_fail(EIO, "a file does not open");
    struct disk_inode *i = platter_find(&d->platter, path);
    if (i && mode == FILE_NEW) return file_fail(EEXIST, "a file does not open");
    if (!i && (mode == FILE_READ || mode == FILE_WRITE || !has_folder(d, path))) {
        return file_fail(ENOENT, "a file does not open");
    }
    if (is_folder(d, path)) return file_fail(EISDIR, "a file does not open");
    if (!i) i = platter_create(&d->platter, path);
    return handle_open(d, i, mode != FILE_READ, false, out);
}

static void op_close(void *self, struct file file)
{
    struct disk *d = self;
    struct disk_handle *h = handle_of(d, file);
    if (!h) return; /* of a process that is dead */
    must(h->inode->handles > 0);
    h->inode->handles--;
    *h = d->handles[--d->handle_count];
    platter_collect(&d->platter);
}

static struct err op_read_at(void *self, struct file file, uint64_t at, void *to, size_t len,
                             size_t *got)
{
    struct disk *d = self;
    enum turn turn = disk_turn(d, d->faults.read_fail_ppm, DISK_FAULT_READ_FAILED);
    const struct disk_handle *h = handle_of(d, file);
    if (turn != TURN_DO || !h) return file_fail(EIO, "a read failed");
    *got = platter_read(h->inode, at, to, len);
    return NO_ERR;
}

static struct err op_write_at(void *self, struct file file, uint64_t at, const void *from,
                              size_t len)
{
    struct disk *d = self;
    enum turn turn = disk_turn(d, d->faults.write_fail_ppm, DISK_FAULT_WRITE_FAILED);
    struct disk_handle *h = handle_of(d, file);
    if (!h || turn == TURN_FAIL) return file_fail(EIO, "a write failed");
    if (!h->write) return file_fail(EBADF, "a write failed");
    if (turn == TURN_FAIL_PARTLY) {
        platter_write(h->inode, at, from, (size_t)prng_below(&d->platter.prng, len + 1));
        return file_fail(EIO, "a write failed");
    }
    uint64_t end = at + len, size = h->inode->now.len;
    if (d->faults.capacity_bytes && end > size) {
        uint64_t used = platter_bytes(&d->platter), room = d->faults.capacity_bytes;
        room = room > used ? room - used : 0;
        if (end - size > room) {
            d->platter.faults[DISK_FAULT_DISK_FULL]++;
            if (size + room > at) platter_write(h->inode, at, from, (size_t)(size + room - at));
            return file_fail(ENOSPC, "a write failed");
        }
    }
    platter_write(h->inode, at, from, len);
    return NO_ERR;
}

static struct err op_sync_data(void *self, struct file file)
{
    struct disk *d = self;
    enum turn turn = disk_turn(d, d->faults.sync_fail_ppm, DISK_FAULT_SYNC_FAILED);
    struct disk_handle *h = handle_of(d, file);
    if (!h) return file_fail(EIO, "a sync failed");
    if (turn != TURN_DO && d->stopped) { /* it may have worked, nobody is there to hear */
        if (turn == TURN_FAIL_PARTLY) platter_sync(h->inode);
        return file_fail(EIO, "a sync failed");
    }
    if (turn != TURN_DO) {
        platter_sync_fails(&d->platter, h->inode);
        return file_fail(EIO, "a sync failed");
    }
    if (d->faults.sync_lies) d->platter.faults[DISK_FAULT_SYNC_LIED]++;
    else platter_sync(h->inode);
    return NO_ERR;
}

static struct err op_size(void *self, struct file file, uint64_t *out)
{
    struct disk *d = self;
    enum turn turn = other_turn(d);
    const struct disk_handle *h = handle_of(d, file);
    if (turn != TURN_DO || !h) return file_fail(EIO, "a size is not known");
    *out = h->inode->now.len;
    return NO_ERR;
}

static struct err op_truncate(void *self, struct file file, uint64_t size)
{
    struct disk *d = self;
    enum turn turn = other_turn(d);
    struct disk_handle *h = handle_of(d, file);
    if (!h || turn == TURN_FAIL) return file_fail(EIO, "a truncate failed");
    if (!h->write || size < h->inode->map_len) return file_fail(EINVAL, "a truncate failed");
    platter_truncate(h->inode, size);
    return turn == TURN_DO ? NO_ERR : file_fail(EIO, "a truncate failed");
}

static struct err op_map(void *self, struct file file, size_t len, void **out)
{
    struct disk *d = self;
    enum turn turn = other_turn(d);
    struct disk_handle *h = handle_of(d, file);
    if (turn != TURN_DO || !h || !h->write) return file_fail(EIO, "a map failed");
    if (h->inode->now.len < len) return file_fail(EINVAL, "a map is larger than its file");
    if (h->inode->map_users && h->inode->map_len != len) return file_fail(EINVAL, "a map failed");
    if (d->mapping_count == d->mapping_cap) {
        d->mapping_cap = d->mapping_cap ? d->mapping_cap * 2 : 8;
        d->mappings = realloc(d->mappings, d->mapping_cap * sizeof *d->mappings);
        must(d->mappings);
    }
    *out = platter_map(h->inode, len);
    d->mappings[d->mapping_count++] = (struct disk_mapping){*out, h->inode};
    return NO_ERR;
}

static void op_unmap(void *self, void *at, size_t len)
{
    struct disk *d = self;
    (void)len;
    for (size_t i = 0; i < d->mapping_count; i++) {
        if (d->mappings[i].at != at) continue;
        platter_unmap(d->mappings[i].inode);
        d->mappings[i] = d->mappings[--d->mapping_count];
        platter_collect(&d->platter);
        return;
    }
}

static struct err op_info(void *self, const char *path, struct file_info *out)
{
    struct disk *d = self;
    if (other_turn(d) != TURN_DO) return file_fail(EIO, "a path is not there");
    const struct disk_inode *i = platter_find(&d->platter, path);
    if (!i && !is_folder(d, path)) return file_fail(ENOENT, "a path is not there");
    *out = (struct file_info){i ? i->now.len : 0, !i};
    return NO_ERR;
}

static struct err op_rename(void *self, const char *from, const char *to)
{
    struct disk *d = self;
    enum turn turn = other_turn(d);
    bool possible = platter_find(&d->platter, from) && has_folder(d, to);
    if (turn == TURN_DO && !possible) return file_fail(ENOENT, "a rename failed");
    if (turn == TURN_FAIL || !possible) return file_fail(EIO, "a rename failed");
    platter_rename(&d->platter, from, to);
    platter_collect(&d->platter);
    return turn == TURN_DO ? NO_ERR : file_fail(EIO, "a rename failed");
}

static struct err op_remove(void *self, const char *path)
{
    struct disk *d = self;
    enum turn turn = other_turn(d);
    bool possible = platter_find(&d->platter, path) != NULL;
    if (turn == TURN_DO && !possible) return file_fail(ENOENT, "a remove failed");
    if (turn == TURN_FAIL || !possible) return file_fail(EIO, "a remove failed");
    platter_remove(&d->platter, path);
    platter_collect(&d->platter);
    return turn == TURN_DO ? NO_ERR : file_fail(EIO, "a remove failed");
}

/* The name right below `folder`, or NULL. */
static const char *name_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    if (strncmp(path, folder, len) != 0 || path[len] != '/') return NULL;
    return strchr(path + len + 1, '/') ? NULL : path + len + 1;
}

static struct err op_list(void *self, const char *folder, file_on_name *on_name, void *ctx)
{
    struct disk *d = self;
    if (other_turn(d) != TURN_DO) return file_fail(EIO, "a folder does not list");
    if (!is_folder(d, folder)) return file_fail(ENOENT, "a folder does not list");
    for (size_t i = 0; i < d->platter.now.count; i++) {
        const char *name = name_below(d->platter.now.at[i].path, folder);
        if (name) TRY(on_name(ctx, name));
    }
    for (size_t i = 0; i < d->folder_count; i++) {
        const char *name = name_below(d->folders[i], folder);
        if (name) TRY(on_name(ctx, name));
    }
    return NO_ERR;
}

static struct err op_make_folder(void *self, const char *folder)
{
    struct disk *d = self;
    if (other_turn(d) != TURN_DO) return file_fail(EIO, "a folder cannot be made");
    if (is_folder(d, folder)) return NO_ERR;
    if (!has_folder(d, folder)) return file_fail(ENOENT, "a folder cannot be made");
    if (d->folder_count == d->folder_cap) {
        d->folder_cap = d->folder_cap ? d->folder_cap * 2 : 8;
        d->folders = realloc(d->folders, d->folder_cap * sizeof *d->folders);
        must(d->folders);
    }
    d->folders[d->folder_count] = strdup(folder);
    must(d->folders[d->folder_count]);
    d->folder_count++;
    return NO_ERR;
}

static struct err op_sync_folder(void *self, const char *folder)
{
    struct disk *d = self;
    enum turn turn = disk_turn(d, d->faults.sync_fail_ppm, DISK_FAULT_SYNC_FAILED);
    if (turn == TURN_DO && d->faults.sync_lies) {
        d->platter.faults[DISK_FAULT_SYNC_LIED]++;
        return NO_ERR;
    }
    if (turn != TURN_FAIL) platter_sync_names(&d->platter, folder);
    platter_collect(&d->platter);
    return turn == TURN_DO ? NO_ERR : file_fail(EIO, "a folder's sync failed");
}

static struct err op_lock(void *self, const char *path, struct file *out)
{
    struct disk *d = self;
    if (other_turn(d) != TURN_DO) return file_fail(EIO, "a file does not open");
    if (!has_folder(d, path)) return file_fail(ENOENT, "a file does not open");
    struct disk_inode *inode = platter_find(&d->platter, path);
    if (!inode) inode = platter_create(&d->platter, path);
    for (size_t i = 0; i < d->handle_count; i++) {
        if (d->handles[i].lock && d->handles[i].inode == inode) {
            return file_fail(EWOULDBLOCK, "locked by another");
        }
    }
    return handle_open(d, inode, true, true, out);
}

static struct err op_free_bytes(void *self, const char *folder, uint64_t *out)
{
    struct disk *d = self;
    (void)folder;
    if (other_turn(d) != TURN_DO) return file_fail(EIO, "free space is not known");
    uint64_t used = platter_bytes(&d->platter);
    uint64_t capacity = d->faults.capacity_bytes ? d->faults.capacity_bytes : UINT64_MAX >> 1;
    *out = capacity > used ? capacity - used : 0;
    return NO_ERR;
}

static const struct file_ops disk_ops = {
    .open = op_open,
    .close = op_close,
    .read_at = op_read_at,
    .write_at = op_write_at,
    .sync_data = op_sync_data,
    .size = op_size,
    .truncate = op_truncate,
    .map = op_map,
    .unmap = op_unmap,
    .info = op_info,
    .rename = op_rename,
    .remove = op_remove,
    .list = op_list,
    .make_folder = op_make_folder,
    .sync_folder = op_sync_folder,
    .lock = op_lock,
    .free_bytes = op_free_bytes,
};
