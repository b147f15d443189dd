/* SPDX-License-Identifier: Apache-2.0 */
/* street.h: the street as phones and maps see it, without the engine: immutable snapshots, made from committed changes.
 *
 *     engine thread            view thread                              any reader
 *     street_put ──ring──► street_turn: what is durable ─► mirror
 *                                                          └─► snapshot A ◄──── street_hold … street_let_go
 *                                                              snapshot B       one slot each; nobody waits
 *
 * Durable   a change carries the last fact of its batch and stays in the ring until that is committed: nothing is shown
 *           that could still be lost. A snapshot is the state at one fact: everything up to `seq`, nothing later
 * Age       STREET_INTERVAL_MS, more when making one takes long: at most a tenth of a core
 * Limits    options; a full ring stalls the engine like a full keeper does (street_has_room)
 * Memory    street_need bytes of address space, pages as they are used: about 0.9 KiB a vehicle
 * Thread    as drawn; the simulator calls all of it on one */
#ifndef STREET_STREET_H
#define STREET_STREET_H

#include <stdatomic.h>

#include "engine/engine.h"
#include "street/snapshot.h"

#define STREET_INTERVAL_MS 50
#define STREET_RING_DEFAULT (1u << 16)
#define STREET_BATCH_ROWS_MAX (1u << 15) /* changed rows of one batch, each once: as the keeper's */
#define STREET_BUSY_PART 10              /* between two snapshots passes this many times what the last one took */

enum street_reader { STREET_READER_HTTP, STREET_READER_JUDGE, STREET_READER_TEST };

struct street_options {
    uint32_t vehicles_max, rides_max;    /* 0 = 200,000 */
    uint32_t ring;                       /* changes, a power of two above STREET_BATCH_ROWS_MAX; 0 = default */
    struct hash_key key;                 /* of the index of codes: random, or the simulator's */
    int64_t (*mono_us)(void *ctx);       /* NULL: making a snapshot takes no time, and each turn makes one */
    void *ctx;
};

/* Figures for /metrics; each written by one thread. */
struct street_counters {
    _Atomic uint64_t changes, snapshots, held_back, make_us_sum, make_us_max, left_out;
    _Atomic uint64_t seq, vehicles, rentable, taken_us;
};

struct street;

size_t street_need(const struct street_options *options);
MUST_USE struct err street_create(const struct street_options *options, struct street **out);
void street_destroy(struct street *s); /* NULL is fine */

/* Before the threads begin: what the recovered engine holds, as of its seq. Rides that are over count as counted. */
void street_seed(struct street *s, const struct engine *engine);
/* Rides that ended on the day of now_ms before the start: as each ride's row in the tables. */
void street_seed_ride(struct street *s, const struct ride *ride);

/* Engine thread: is there room for one more batch? */
bool street_has_room(const struct street *s);
/* Engine thread: a changed row of the batch that ends with `seq`, before that batch goes to the journal. */
void street_put(struct street *s, uint64_t seq, enum row_kind kind, const void *row, bool gone);
/* Enough waits that the view thread should not sleep on. */
bool street_pressed(const struct street *s);

/* View thread: takes what is durable and shows a snapshot when it is time. Returns how many µs it may sleep. */
int64_t street_turn(struct street *s, uint64_t committed_seq, int64_t now_ms);
/* The same, and a snapshot now whatever the time; false when readers hold all but the shown one. */
bool street_show(struct street *s, uint64_t committed_seq, int64_t now_ms);

/* Readers: NULL before the first snapshot; good until street_let_go. One hold a slot. */
const struct snapshot *street_hold(struct street *s, enum street_reader reader);
void street_let_go(struct street *s, enum street_reader reader);
const struct street_counters *street_counters(const struct street *s);
unsigned street_readers(const struct street *s);
uint32_t street_waiting(const struct street *s);

#endif
