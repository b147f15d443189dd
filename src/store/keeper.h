/* SPDX-License-Identifier: Apache-2.0 */
/* keeper.h: gathers the change stream of committed batches and writes it to the tables in cuts, off the ack
 * path.
 *
 *     engine thread                              keeper thread
 *     keeper_add_row, keeper_add_event  ┐
 *     keeper_end_batch  (after a batch) │ filling set
 *     keeper_hand_over  ────────────────┴──────► handed set ──► keeper_turn: one transaction
 *
 * Sets    two, of fixed room. The engine thread owns the filling one; keeper_hand_over gives it away when
 *         the keeper thread has none. Of a row only the newest version counts.
 * Order   a set may be handed over before its batches are committed; keeper_turn waits until committed_seq
 *         covers it, so the tables never hold what the journal may lose
 * Limits  options.rows_max and events_max are where keeper_has_room says no: then take no more facts.
 *         Behind that lies room for one batch (KEEPER_BATCH_*_MAX); FULL beyond it means the batch was
 *         larger than allowed.
 * Thread  as drawn; the two meet at one atomic. Waking the keeper thread is the caller's (when hand_over
 *         says true, and when commits go on). One thread may do both sides: the simulator does. */
#ifndef STORE_KEEPER_H
#define STORE_KEEPER_H

#include "store/tables.h"
#include "store/tables_copy.h"

#define KEEPER_INTERVAL_MS_DEFAULT 500
#define KEEPER_SYNC_MS_DEFAULT 10000
#define KEEPER_ROWS_MAX_DEFAULT (1u << 17)
#define KEEPER_EVENTS_MAX_DEFAULT (1u << 16)
#define KEEPER_BATCH_ROWS_MAX (1u << 15)   /* changed rows of one batch, each once */
#define KEEPER_BATCH_EVENTS_MAX (1u << 15)
#define KEEPER_BASE_PAGES_A_TURN 2048u     /* 8 MiB: a base copy never holds up the next cut for long */

struct keeper_options {
    int64_t interval_ms;           /* from a set's first change to its hand-over; 0 = default */
    int64_t sync_ms;               /* between synced cuts; 0 = default, negative = every cut */
    uint32_t rows_max, events_max; /* 0 = default */
};

/* What a turn did. tables_seq belongs into the fact TABLES_WRITTEN, synced_seq to journal_retain(). */
struct keeper_turned {
    bool wrote;          /* a cut was written in this turn */
    bool news;           /* it held more than the partition's own row: worth a TABLES_WRITTEN, which changes that row */
    uint64_t tables_seq; /* last cut written */
    uint64_t synced_seq; /* last cut known to be on the disk */
    uint32_t rows, events;
    bool base_done;      /* a base copy was completed, base_seq is its cut */
    uint64_t base_seq;
};

enum keeper_when {
    KEEPER_WHEN_DUE, /* by interval, or half full */
    KEEPER_WHEN_FULL, /* half full only: the keeper rests */
    KEEPER_NOW,      /* whatever there is */
    KEEPER_LAST,     /* whatever there is, and synced: an orderly stop */
};

struct keeper;

/* `tables` is borrowed, and the keeper thread's from here on. Heap: both sets at once. */
MUST_USE struct err keeper_create(struct keeper **out, struct tables *tables, const struct keeper_options *options);
void keeper_destroy(struct keeper *k);

/* Engine thread. */
bool keeper_has_room(const struct keeper *k); /* for one more batch */
MUST_USE struct err keeper_add_row(struct keeper *k, enum row_kind kind, const void *row, bool gone);
MUST_USE struct err keeper_add_event(struct keeper *k, const struct event *event);
/* What was added since the last end is of the batch that ends with `seq`. */
void keeper_end_batch(struct keeper *k, uint64_t seq, int64_t now_ms);
/* After keeper_end_batch and before anything is added: the engine's hash at that seq; forgotten when
 * another batch follows in the same set. Makes a set of its own when that batch was handed over already. */
void keeper_note_hash(struct keeper *k, uint64_t state_hash);
/* Between batches. True: a set went over, wake the keeper thread. */
bool keeper_hand_over(struct keeper *k, int64_t now_ms, enum keeper_when when);

/* Keeper thread. Writes the handed set once committed_seq covers it; goes on with a base copy. An error is
 * final. */
MUST_USE struct err keeper_turn(struct keeper *k, uint64_t committed_seq, int64_t now_ms, struct keeper_turned *out);
/* Begins copying the tables into bases/ of `dir` (borrowed until base_done). STATE: one is under way. */
MUST_USE struct err keeper_base(struct keeper *k, const struct data_dir *dir);
/* The sentence for the last error of a turn. */
const char *keeper_text(const struct keeper *k);

/* Either side: the keeper thread holds a set that it has not written yet. */
bool keeper_busy(const struct keeper *k);

#endif
