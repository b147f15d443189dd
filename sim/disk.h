/* SPDX-License-Identifier: Apache-2.0 */
/* disk.h: the lying disk: store/file.h in memory, deterministic from a seed, that forgets what was
 * not synced.
 *
 * The fault model. What it does, and therefore what the code above must survive:
 *   kill         the process ends at any call: every write so far stays, handles and locks are
 *                gone.
 *   power cut    per file, each unsynced write is kept, lost, or torn: whole 512-byte sectors of
 *                it stay or go in any order (DISK_POWER), or its bytes up to any point
 *                (DISK_POWER_BYTES). The size may be that of the newest write with zeros where
 *                data was lost. Unsynced names (create, rename, remove) are kept or lost, as a
 *                prefix or one by one. Mapped memory arrives sector by sector or not at all.
 *   failed sync  says IO once; a part of the writes has arrived, the rest counts as clean: a later
 *                sync says OK without them (what Linux does).
 *   failed call  any call says IO; a failed write may have written a part.
 *   full         a write that grows files beyond capacity_bytes says FULL.
 *   a folder     once made is never lost.
 *   bit flip     on demand (disk_flip), in the page cache and on the platter.
 * What it never does: change bytes that were synced and not overwritten, tear inside what one
 * write did not change, lose a synced name. `sync_lies` breaks exactly that promise, to prove that
 * a checker notices.
 *
 * Owner   the test; one thread. Each disk draws from its own stream: (seed) decides everything. */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "store/file.h"

#define DISK_FAULT_LIST(X)                                    \
    X(KILL, "process killed")                                 \
    X(POWER_CUT, "power cut")                                 \
    X(WRITE_LOST, "unsynced write lost")                      \
    X(WRITE_KEPT, "unsynced write kept")                      \
    X(WRITE_TORN, "unsynced write torn")                      \
    X(SIZE_ONLY, "size kept, data lost")                      \
    X(NAME_LOST, "unsynced name change lost")                 \
    X(NAME_KEPT, "unsynced name change kept")                 \
    X(SYNC_FAILED, "sync failed")                             \
    X(SYNC_LIED, "sync lied")                                 \
    X(WRITE_FAILED, "write failed")                           \
    X(READ_FAILED, "read failed")                             \
    X(CALL_FAILED, "other call failed")                       \
    X(DISK_FULL, "disk full")                                 \
    X(BIT_FLIPPED, "bit flipped")

enum disk_fault {
#define X(name, text) DISK_FAULT_##name,
    DISK_FAULT_LIST(X)
#undef X
    DISK_FAULT_N
};

enum disk_crash {
    DISK_KILL,        /* the process only */
    DISK_POWER,       /* torn at sectors */
    DISK_POWER_BYTES, /* torn at bytes */
};

/* All zero: an honest disk without end. */
struct disk_faults {
    /* Chance per call, in a million. */
    uint32_t write_fail_ppm, sync_fail_ppm, read_fail_ppm, call_fail_ppm;
    uint64_t fail_nth;       /* the nth call from now (1 is the next) fails once; 0: none */
    uint64_t stop_nth;       /* from the nth call on all fail until disk_crash(): "crash anywhere" */
    uint64_t capacity_bytes; /* 0: no limit */
    bool sync_lies;          /* syncs say OK and do nothing */
};

struct disk;

struct disk *disk_create(uint64_t seed);
void disk_destroy(struct disk *d);
struct file_system disk_files(struct disk *d);

/* Sets the faults from now on; countdowns start again. */
void disk_set_faults(struct disk *d, struct disk_faults faults);
bool disk_fired(const struct disk *d);    /* fail_nth or stop_nth came true since they were set */
uint64_t disk_calls(const struct disk *d); /* since create; close and unmap do not count */

/* The process dies here: every call fails until disk_crash(). For what must still be freed in
 * between: close it now, so that a dead process's calls change nothing. */
void disk_stop(struct disk *d);
/* Ends every handle, lock and mapping, applies the crash, and is honest again (faults all zero). */
void disk_crash(struct disk *d, enum disk_crash kind);
/* Inverts one bit of a file, read cache and platter. NOT_FOUND beyond its end. */
MUST_USE struct err disk_flip(struct disk *d, const char *path, uint64_t at, unsigned bit);

uint64_t disk_fault_count(const struct disk *d, enum disk_fault fault);
const char *disk_fault_text(enum disk_fault fault);

#endif
