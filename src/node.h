/* SPDX-License-Identifier: Apache-2.0 */
/* node.h: the middle of the flow: inbox ► engine ► journal ► release, and changes ► keeper ► tables.
 *
 *     gateway, api ──rings──► node_engine_turn ──batch──► node_journal_turn ──rings──► gateway, api
 *                                    │                                                    (released)
 *                                    └──changes──┬► node_keeper_turn ──► tables.db
 *                                                └► street_turn ──► snapshots for near me and maps (street/street.h)
 *
 * The rule that everything hangs on: nothing in a batch is released before its records are synced. While one batch is
 * with the journal the next one gathers, so a batch is whatever arrived meanwhile: one sync carries them all.
 *
 * Each turn is a plain function that never blocks but for its own disk. serve.c gives each a thread and wakes them;
 * the simulator calls them in any order on one thread.
 *
 * Thread  node_engine_turn the engine's, node_keeper_turn the keeper's, node_commit and node_journal_turn one at a time;
 *         what they share are two handed-over batches and atomics
 * Owner   rings belong to the node; gateway and api borrow them */
#ifndef NODE_H
#define NODE_H

#include <stdatomic.h>

#include "engine/traffic.h"
#include "store/recover.h"
#include "street/street.h"

#define NODE_BATCH_FACTS_MAX ENGINE_BATCH_MAX
#define NODE_SMALL_FACTS_MAX 8u        /* a batch that the engine's thread may commit itself, see node_commit_is_small */
#define NODE_SMALL_READY_BYTES (1u << 20) /* and no less ready in the journal, so that it need not make room first */
#define NODE_BATCH_EFFECTS_MAX 16384u  /* a batch ends early rather than have less than a fact's room */
#define NODE_BATCH_ROWS_MAX 16384u     /* changed rows: the keeper takes twice as many, one fact changes hundreds at most */
#define NODE_BATCH_ANSWERS_MAX NODE_BATCH_FACTS_MAX
#define NODE_PREPARE_BYTES (4u << 20)  /* zero-filled between two commits, when less than _LOW_BYTES is ready: */
#define NODE_PREPARE_LOW_BYTES (16u << 20)
#define NODE_PREPARE_IDLE_BYTES (512u << 10) /* and at a time while nothing is to be committed: who comes then waits for it */

struct node_options {
    struct recover_options recover;   /* directory, limits, journal, keeper */
    uint32_t telemetry_ring, urgent_ring, out_ring; /* items, powers of two; 0 = default */
    uint64_t seed0, seed1;            /* fresh randomness of this process */
    int64_t hash_ms;                  /* between stored state hashes; 0 = default 60 s, negative = every cut */
    bool hash_at_start;               /* keep the state hash of what was recovered: a walk over all rows */
    struct street *street;            /* told of changed rows; borrowed; NULL: nobody looks */
    bool bases;                       /* copy the tables to bases/ once a day */
    struct text64 crash_on;           /* tests only: a device whose facts stop the engine; empty = none */
    /* Wakes the named thread; may be called from any. NULL in the simulator. */
    void (*wake_engine)(void *ctx);
    void (*wake_journal)(void *ctx);
    void (*wake_keeper)(void *ctx);
    void (*wake_street)(void *ctx);   /* much waits for it and is durable */
    void (*wake_gateway)(void *ctx);  /* its out ring may hold something */
    void (*wake_api)(void *ctx);      /* likewise */
    int64_t (*mono_us)(void *ctx);
    void *ctx;
};

/* Figures for /metrics; each written by one thread. */
struct node_counters {
    _Atomic uint64_t commits_by_engine; /* serve.c: of commits, those by the engine's thread */
    _Atomic uint64_t facts, batches, commits, commit_us_sum, effects, events, orders, replies, acks, answers;
    _Atomic uint64_t seq, committed_seq, tables_seq, synced_seq, stalls_keeper, stalls_journal, stalls_street, refused_facts;
    _Atomic uint64_t rides_open, cuts, cut_us_sum, commit_us_max, cut_us_max;
    _Atomic uint64_t journal_first_seq, journal_bytes, journal_segments, journal_unprepared, journal_prepared_bytes;
    _Atomic uint64_t sync_us[32]; /* histogram: commits that took less than 2^i us */
};

struct node;

/* Recovers the directory and applies NODE_STARTED. `text` (RECOVER_TEXT_MAX) says what happened. */
MUST_USE struct err node_create(const struct node_options *options, struct node **out, char *text);
/* Lets go of everything; what was not committed is lost. For an orderly end: node_finish first. */
void node_destroy(struct node *n);

/* The rings: the gateway puts telemetry and urgent, the api urgent of its own. */
struct ring *node_telemetry(struct node *n);
struct ring *node_gateway_urgent(struct node *n);
struct ring *node_api_urgent(struct node *n);
struct ring *node_to_gateway(struct node *n);
struct ring *node_to_api(struct node *n);

/* Applies what waits, at most a batch, at server time now_ms; hands a batch to the journal when that is idle. Returns
 * when it wants to be called again at the latest (server ms): what is due, or now when more waits. */
int64_t node_engine_turn(struct node *n, int64_t now_ms);
/* The server's clock jumped: said in the next batch. */
void node_clock_jumped(struct node *n, int64_t by_ms);
/* Commits and releases a handed batch, if there is one. An error is final: stop acknowledging, say why, exit. */
MUST_USE struct err node_commit(struct node *n);
/* The same, then makes room ahead and lets go of what is no longer kept: both may take a sync of their own. */
MUST_USE struct err node_journal_turn(struct node *n);
/* Engine's thread: the batch handed over last is so small, and the journal so ready for it, that waking a thread for it
 * takes longer than what that thread would take off this one. */
bool node_commit_is_small(const struct node *n);
/* Writes a cut if one is handed over. An error is final. */
MUST_USE struct err node_keeper_turn(struct node *n, int64_t now_ms);
/* Orderly end, all turns stopped: everything applied is committed and in the tables; the next start replays nothing. */
MUST_USE struct err node_finish(struct node *n, int64_t now_ms);

/* Is there anything that a turn would do? For the simulator's idle steps. */
bool node_busy(const struct node *n);
const struct engine *node_engine(const struct node *n);
const struct recovered *node_recovered(const struct node *n);
uint64_t node_start_hash(const struct node *n); /* with hash_at_start */
struct node_counters *node_counters(struct node *n);
/* Why the node ended; empty while it lives. Any thread. */
const char *node_failure(const struct node *n);
/* To be called by a handler of fatal signals: marks the fact in hand, if this thread was applying one. */
void node_crashed(void);

#endif
