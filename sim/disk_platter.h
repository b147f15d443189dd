/* SPDX-License-Identifier: Apache-2.0 */
/* disk_platter.h: the two truths of the lying disk: what a process sees, and what a power cut would leave.
 *
 * What    every file and every name exists twice, with the list of changes between the two. A sync
 *         carries changes over; a power cut draws which of them made it.
 * Owner   disk.c; one thread. Memory that cannot be had ends the run. */
#ifndef SIM_DISK_PLATTER_H
#define SIM_DISK_PLATTER_H

#include "base/prng.h"
#include "sim/disk.h"

#define DISK_SECTOR_BYTES 512u

struct disk_bytes {
    uint8_t *at;
    size_t len, cap;
};

/* A write or a truncate that is not synced. */
struct disk_change {
    bool truncate;
    uint64_t at; /* truncate: the new size */
    struct disk_bytes data;
};

struct disk_inode {
    struct disk_bytes now, kept;
    struct disk_change *changes;
    size_t change_count, change_cap;
    uint8_t *map; /* the first map_len bytes of `now` live here while mapped */
    size_t map_len;
    unsigned map_users;
    unsigned handles;
};

struct disk_name {
    char *path;
    struct disk_inode *inode;
};
struct disk_names {
    struct disk_name *at;
    size_t count, cap;
};

/* Not synced: `from` only is a remove, `to` only a create, both a rename. */
struct disk_name_change {
    char *from, *to;
    struct disk_inode *inode;
};

struct disk_platter {
    struct prng prng;
    struct disk_names now, kept;
    struct disk_name_change *changes;
    size_t change_count, change_cap;
    struct disk_inode **inodes;
    size_t inode_count, inode_cap;
    uint64_t faults[DISK_FAULT_N];
};

void platter_init(struct disk_platter *p, uint64_t seed);
void platter_fini(struct disk_platter *p);

struct disk_inode *platter_find(const struct disk_platter *p, const char *path);
struct disk_inode *platter_create(struct disk_platter *p, const char *path);
void platter_rename(struct disk_platter *p, const char *from, const char *to);
void platter_remove(struct disk_platter *p, const char *path);
uint64_t platter_bytes(const struct disk_platter *p); /* in all files that have a name */

size_t platter_read(const struct disk_inode *i, uint64_t at, void *to, size_t len);
void platter_write(struct disk_inode *i, uint64_t at, const void *from, size_t len);
void platter_truncate(struct disk_inode *i, uint64_t size);
void *platter_map(struct disk_inode *i, size_t len);
void platter_unmap(struct disk_inode *i);

void platter_sync(struct disk_inode *i);
/* A part arrives, the rest will never be asked for again. */
void platter_sync_fails(struct disk_platter *p, struct disk_inode *i);
void platter_sync_names(struct disk_platter *p, const char *folder);

/* Forgets files that neither a name nor a handle reaches. */
void platter_collect(struct disk_platter *p);
/* All handles and maps are gone; power cuts also draw what survives. */
void platter_crash(struct disk_platter *p, enum disk_crash kind);

#endif
