/* SPDX-License-Identifier: Apache-2.0 */
/* disk_platter.c: changes, syncs and what a power cut leaves of them. The fault model opens disk.h. */
#include "sim/disk_platter.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

static void *grown(void *at, size_t count, size_t *cap, size_t each);
static void bytes_resize(struct disk_bytes *b, size_t len);
static void bytes_write(struct disk_bytes *b, uint64_t at, const void *from, size_t len);
static void change_apply(struct disk_inode *i, const struct disk_change *c);
static void changes_clear(struct disk_inode *i);
static void changes_draw(struct disk_platter *p, struct disk_inode *i, enum disk_crash kind);
static void map_save(struct disk_inode *i);
static struct disk_name *names_find(const struct disk_names *n, const char *path);
static void names_set(struct disk_names *n, const char *path, struct disk_inode *inode);
static void names_drop(struct disk_names *n, const char *path);
static void names_clear(struct disk_names *n);
static void name_change_add(struct disk_platter *p, const char *from, const char *to,
                            struct disk_inode *inode);
static void name_change_apply(struct disk_platter *p, const struct disk_name_change *c);
static void name_change_free(struct disk_name_change *c);
static void names_draw(struct disk_platter *p);
static void inode_free(struct disk_inode *i);

void platter_init(struct disk_platter *p, uint64_t seed)
{
    *p = (struct disk_platter){.prng = prng_of(seed, bytes_text("disk"))};
}

void platter_fini(struct disk_platter *p)
{
    for (size_t i = 0; i < p->change_count; i++) name_change_free(&p->changes[i]);
    for (size_t i = 0; i < p->inode_count; i++) inode_free(p->inodes[i]);
    names_clear(&p->now);
    names_clear(&p->kept);
    free(p->now.at);
    free(p->kept.at);
    free(p->changes);
    free(p->inodes);
}

struct disk_inode *platter_find(const struct disk_platter *p, const char *path)
{
    const struct disk_name *n = names_find(&p->now, path);
    return n ? n->inode : NULL;
}

struct disk_inode *platter_create(struct disk_platter *p, const char *path)
{
    struct disk_inode *i = calloc(1, sizeof *i);
    must(i);
    p->inodes = grown(p->inodes, p->inode_count, &p->inode_cap, sizeof *p->inodes);
    p->inodes[p->inode_count++] = i;
    names_set(&p->now, path, i);
    name_change_add(p, NULL, path, i);
    return i;
}

void platter_rename(struct disk_platter *p, const char *from, const char *to)
{
    struct disk_inode *i = platter_find(p, from);
    must(i);
    name_change_add(p, from, to, i);
    names_drop(&p->now, from);
    names_set(&p->now, to, i);
}

void platter_remove(struct disk_platter *p, const char *path)
{
    name_change_add(p, path, NULL, platter_find(p, path));
    names_drop(&p->now, path);
}

uint64_t platter_bytes(const struct disk_platter *p)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < p->now.count; i++) sum += p->now.at[i].inode->now.len;
    return sum;
}

size_t platter_read(const struct disk_inode *i, uint64_t at, void *to, size_t len)
{
    if (at >= i->now.len) return 0;
    size_t got = i->now.len - at < len ? (size_t)(i->now.len - at) : len;
    memcpy(to, i->now.at + at, got);
    if (at < i->map_len) {
        size_t mapped = i->map_len - at < got ? (size_t)(i->map_len - at) : got;
        memcpy(to, i->map + at, mapped);
    }
    return got;
}

void platter_write(struct disk_inode *i, uint64_t at, const void *from, size_t len)
{
    if (!len) return;
    bytes_write(&i->now, at, from, len);
    if (at < i->map_len) {
        memcpy(i->map + at, from, i->map_len - at < len ? (size_t)(i->map_len - at) : len);
    }
    i->changes = grown(i->changes, i->change_count, &i->change_cap, sizeof *i->changes);
    struct disk_change *c = &i->changes[i->change_count++];
    *c = (struct disk_change){.at = at};
    bytes_write(&c->data, 0, from, len);
}

void platter_truncate(struct disk_inode *i, uint64_t size)
{
    must(size >= i->map_len);
    bytes_resize(&i->now, size);
    i->changes = grown(i->changes, i->change_count, &i->change_cap, sizeof *i->changes);
    i->changes[i->change_count++] = (struct disk_change){.truncate = true, .at = size};
}

void *platter_map(struct disk_inode *i, size_t len)
{
    if (!i->map_users) {
        i->map = malloc(len);
        must(i->map && len <= i->now.len);
        memcpy(i->map, i->now.at, len);
        i->map_len = len;
    }
    must(i->map_len == len);
    i->map_users++;
    return i->map;
}

void platter_unmap(struct disk_inode *i)
{
    must(i->map_users > 0);
    if (--i->map_users) return;
    map_save(i);
    free(i->map);
    i->map = NULL;
    i->map_len = 0;
}

void platter_sync(struct disk_inode *i)
{
    map_save(i);
    for (size_t c = 0; c < i->change_count; c++) change_apply(i, &i->changes[c]);
    changes_clear(i);
}

void platter_sync_fails(struct disk_platter *p, struct disk_inode *i)
{
    map_save(i);
    changes_draw(p, i, DISK_POWER);
}

static bool name_in(const char *path, const char *folder)
{
    if (path && strcmp(folder, ".") == 0) return !strchr(path, '/');
    size_t len = strlen(folder);
    return path && strncmp(path, folder, len) == 0 && path[len] == '/' && !strchr(path + len + 1, '/');
}

void platter_sync_names(struct disk_platter *p, const char *folder)
{
    size_t left = 0;
    for (size_t i = 0; i < p->change_count; i++) {
        struct disk_name_change *c = &p->changes[i];
        if (name_in(c->from, folder) || name_in(c->to, folder)) {
            name_change_apply(p, c);
            name_change_free(c);
        } else {
            p->changes[left++] = *c;
        }
    }
    p->change_count = left;
}

void platter_collect(struct disk_platter *p)
{
    size_t left = 0;
    for (size_t k = 0; k < p->inode_count; k++) {
        struct disk_inode *i = p->inodes[k];
        bool reached = i->handles || i->map_users;
        for (size_t n = 0; n < p->now.count && !reached; n++) reached = p->now.at[n].inode == i;
        for (size_t n = 0; n < p->kept.count && !reached; n++) reached = p->kept.at[n].inode == i;
        for (size_t n = 0; n < p->change_count && !reached; n++) {
            reached = p->changes[n].inode == i;
        }
        if (reached) p->inodes[left++] = i;
        else inode_free(i);
    }
    p->inode_count = left;
}

void platter_crash(struct disk_platter *p, enum disk_crash kind)
{
    for (size_t k = 0; k < p->inode_count; k++) {
        struct disk_inode *i = p->inodes[k];
        i->handles = 0;
        if (i->map_users) {
            i->map_users = 1;
            platter_unmap(i);
        }
    }
    p->faults[kind == DISK_KILL ? DISK_FAULT_KILL : DISK_FAULT_POWER_CUT]++;
    if (kind != DISK_KILL) {
        for (size_t k = 0; k < p->inode_count; k++) {
            struct disk_inode *i = p->inodes[k];
            changes_draw(p, i, kind);
            bytes_resize(&i->now, 0);
            bytes_write(&i->now, 0, i->kept.at, i->kept.len);
        }
        names_draw(p);
    }
    platter_collect(p);
}

static void *grown(void *at, size_t count, size_t *cap, size_t each)
{
    if (count < *cap) return at;
    *cap = *cap ? *cap * 2 : 8;
    at = realloc(at, *cap * each);
    must(at);
    return at;
}

static void bytes_resize(struct disk_bytes *b, size_t len)
{
    if (len > b->cap) {
        size_t cap = len + len / 4 + 64;
        b->at = realloc(b->at, cap);
        must(b->at);
        b->cap = cap;
    }
    if (len > b->len) memset(b->at + b->len, 0, len - b->len);
    b->len = len;
}

static void bytes_write(struct disk_bytes *b, uint64_t at, const void *from, size_t len)
{
    if (!len) return;
    if (at + len > b->len) bytes_resize(b, at + len);
    memcpy(b->at + at, from, len);
}

static void change_apply(struct disk_inode *i, const struct disk_change *c)
{
    if (c->truncate) bytes_resize(&i->kept, c->at);
    else bytes_write(&i->kept, c->at, c->data.at, c->data.len);
}

static void changes_clear(struct disk_inode *i)
{
    for (size_t c = 0; c < i->change_count; c++) free(i->changes[c].data.at);
    i->change_count = 0;
}

/* Mapped memory is written back sector by sector, so only sectors that differ are changes. */
static void map_save(struct disk_inode *i)
{
    for (size_t at = 0; at < i->map_len; at += DISK_SECTOR_BYTES) {
        size_t len = i->map_len - at < DISK_SECTOR_BYTES ? i->map_len - at : DISK_SECTOR_BYTES;
        if (memcmp(i->map + at, i->now.at + at, len) != 0) platter_write(i, at, i->map + at, len);
    }
}

/* One unsynced write meets its fate. */
static void change_draw(struct disk_platter *p, struct disk_inode *i, struct disk_change *c,
                        enum disk_crash kind, uint32_t keep_ppm, bool tear)
{
    if (c->truncate || !tear) {
        bool keep = prng_chance(&p->prng, keep_ppm);
        p->faults[keep ? DISK_FAULT_WRITE_KEPT : DISK_FAULT_WRITE_LOST]++;
        if (keep) change_apply(i, c);
        return;
    }
    p->faults[DISK_FAULT_WRITE_TORN]++;
    if (kind == DISK_POWER_BYTES) {
        size_t upto = (size_t)prng_below(&p->prng, c->data.len + 1);
        bytes_write(&i->kept, c->at, c->data.at, upto);
        return;
    }
    for (size_t at = 0; at < c->data.len;) {
        size_t len = DISK_SECTOR_BYTES - (size_t)((c->at + at) % DISK_SECTOR_BYTES);
        if (len > c->data.len - at) len = c->data.len - at;
        if (prng_chance(&p->prng, keep_ppm)) bytes_write(&i->kept, c->at + at, c->data.at + at, len);
        at += len;
    }
}

static void changes_draw(struct disk_platter *p, struct disk_inode *i, enum disk_crash kind)
{
    if (!i->change_count) return;
    static const uint32_t keep_ppm[] = {0, 100000, 500000, 900000, 1000000};
    uint32_t keep = keep_ppm[prng_below(&p->prng, sizeof keep_ppm / sizeof *keep_ppm)];
    bool shrinks = false;
    for (size_t k = 0; k < i->change_count; k++) {
        shrinks |= i->changes[k].truncate;
        change_draw(p, i, &i->changes[k], kind, keep, prng_chance(&p->prng, 500000));
    }
    if (!shrinks && i->kept.len < i->now.len && prng_chance(&p->prng, 300000)) {
        p->faults[DISK_FAULT_SIZE_ONLY]++;
        bytes_resize(&i->kept, i->now.len);
    }
    changes_clear(i);
}

static struct disk_name *names_find(const struct disk_names *n, const char *path)
{
    for (size_t i = 0; i < n->count; i++) {
        if (strcmp(n->at[i].path, path) == 0) return &n->at[i];
    }
    return NULL;
}

static void names_set(struct disk_names *n, const char *path, struct disk_inode *inode)
{
    struct disk_name *old = names_find(n, path);
    if (old) {
        old->inode = inode;
        return;
    }
    n->at = grown(n->at, n->count, &n->cap, sizeof *n->at);
    n->at[n->count].path = strdup(path);
    must(n->at[n->count].path);
    n->at[n->count++].inode = inode;
}

static void names_drop(struct disk_names *n, const char *path)
{
    struct disk_name *old = names_find(n, path);
    if (!old) return;
    free(old->path);
    *old = n->at[--n->count];
}

static void names_clear(struct disk_names *n)
{
    for (size_t i = 0; i < n->count; i++) free(n->at[i].path);
    n->count = 0;
}

static void name_change_add(struct disk_platter *p, const char *from, const char *to,
                            struct disk_inode *inode)
{
    p->changes = grown(p->changes, p->change_count, &p->change_cap, sizeof *p->changes);
    struct disk_name_change *c = &p->changes[p->change_count++];
    *c = (struct disk_name_change){from ? strdup(from) : NULL, to ? strdup(to) : NULL, inode};
    must(c->from || c->to);
}

static void name_change_apply(struct disk_platter *p, const struct disk_name_change *c)
{
    if (c->from) {
        const struct disk_name *old = names_find(&p->kept, c->from);
        if (old && (!c->to || old->inode == c->inode)) names_drop(&p->kept, c->from);
    }
    if (c->to) names_set(&p->kept, c->to, c->inode);
}

static void name_change_free(struct disk_name_change *c)
{
    free(c->from);
    free(c->to);
}

static void names_draw(struct disk_platter *p)
{
    bool prefix = prng_chance(&p->prng, 500000);
    size_t upto = (size_t)prng_below(&p->prng, p->change_count + 1);
    for (size_t i = 0; i < p->change_count; i++) {
        bool keep = prefix ? i < upto : prng_chance(&p->prng, 500000);
        p->faults[keep ? DISK_FAULT_NAME_KEPT : DISK_FAULT_NAME_LOST]++;
        if (keep) name_change_apply(p, &p->changes[i]);
        name_change_free(&p->changes[i]);
    }
    p->change_count = 0;
    names_clear(&p->now);
    for (size_t i = 0; i < p->kept.count; i++) names_set(&p->now, p->kept.at[i].path, p->kept.at[i].inode);
}

static void inode_free(struct disk_inode *i)
{
    changes_clear(i);
    free(i->changes);
    free(i->now.at);
    free(i->kept.at);
    free(i->map);
    free(i);
}
