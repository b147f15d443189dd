/* SPDX-License-Identifier: Apache-2.0 */
/* tape.h: the last bytes that went over named connections, both ways, for whoever asks what was really said.
 *
 *     writer ──tape_put──► ring of TAPE_ENTRY bytes each, chained by name ──tape_read──► newest first
 *
 * Limits  a fixed number of entries for all names together; the oldest are overwritten. Of one frame TAPE_BYTES_MAX bytes are
 *         kept, and its true length. Memory is touched as it fills
 * Secrets are the writer's to mask before they come here
 * Names   are kept as keyed hashes: two names of one hash would share a tape, which nobody can bring about
 * Thread  any; one lock, held for a copy of an entry or for a walk of TAPE_WALK_MAX entries */
#ifndef NET_TAPE_H
#define NET_TAPE_H

#include "base/bytes.h"
#include "base/hash.h"

#define TAPE_BYTES_MAX 128u
#define TAPE_WALK_MAX 4096u        /* entries that one read looks at, others' in the same chain included */
#define TAPE_CHAINS 65536u

enum tape_flags { TAPE_OUT = 1, TAPE_REFUSED = 2 };

struct tape_entry {
    uint64_t number;               /* rises by one with each entry; the cursor */
    int64_t at_ms;                 /* server time */
    uint64_t seq;                  /* the fact behind it; 0: not known */
    uint8_t flags;                 /* enum tape_flags */
    uint16_t len;                  /* of the frame; more than TAPE_BYTES_MAX: cut */
    uint8_t bytes[TAPE_BYTES_MAX];
};

struct tape;

/* `entries` from 1,024 to 2^26. */
MUST_USE struct err tape_create(uint32_t entries, struct hash_key key, struct tape **out);
void tape_destroy(struct tape *t); /* NULL is fine */
/* What `name` is called inside: whoever puts often under one name asks once. NULL tape: 0. */
uint64_t tape_name(const struct tape *t, struct bytes name);
struct tape_note { int64_t at_ms; uint64_t seq; uint8_t flags; }; /* as in tape_entry */
/* Under a tape_name of this tape. NULL tape: nothing happens. */
void tape_put(struct tape *t, uint64_t name, struct tape_note note, struct bytes frame);
/* Of `name`, older than number `before` (0: from the newest), not before since_ms and not after until_ms. Returns how many
 * were written to `out`; *more: there are older ones, the cursor is the last one's number. */
uint32_t tape_read(struct tape *t, struct bytes name, uint64_t before, int64_t since_ms, int64_t until_ms,
                   struct tape_entry *out, uint32_t limit, bool *more);

#endif
