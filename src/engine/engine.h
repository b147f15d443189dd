/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h: the whole domain as a function: a fact in, changed rows and effects out.
 *
 * Pure    no clock, no I/O, no allocation after engine_init, no floating point; the same facts give the same
 *         effects and the same state hash on any machine and compiler
 * Units   time arrives in the facts, *_ms since 1970 UTC
 * Owner   all rows live in the memory given to engine_init; a row pointer is good until the next engine_step
 * Thread  the engine's only */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "engine/effect.h"

/* Most rows of each kind that memory may hold; a full one answers FULL. 0 = the default. */
struct engine_limits { uint32_t rows[ROW_N]; };

struct engine;

/* Bytes that an engine of these limits needs: address space, touched only as rows appear. */
size_t engine_need(const struct engine_limits *limits);
/* In `memory` of engine_need bytes, zero, 64-byte aligned. */
struct engine *engine_init(void *memory, const struct engine_limits *limits);

/* Applies one fact. Fires timers that are due first (a bounded number; see engine_due_ms). */
void engine_step(struct engine *engine, uint64_t seq, const struct fact *fact, struct effects *effects);

/* When the next timer is due: a TICK at or after it moves things on. INT64_MAX = never. */
int64_t engine_due_ms(const struct engine *engine);
/* Last fact applied and its time. */
uint64_t engine_seq(const struct engine *engine);
int64_t engine_now_ms(const struct engine *engine);

/* Sum over every resident row by the field tables. Two engines with equal sums hold the same. Costs a walk. */
uint64_t engine_hash(const struct engine *engine);
/* What a fact's journal record carries right after its step: the checksum of its effects and, every ENGINE_HASH_EVERY
 * facts, the state hash mixed in. A replay computes the same. */
#define ENGINE_HASH_EVERY (1u << 17)
uint64_t engine_record_sum(const struct engine *engine, const struct effects *effects);

/* Rows changed since the last call, each once: the change stream. `gone` rows were deleted from the tables' view.
 * Rows that memory merely let go of come with resident = false as an ordinary change. Calls back, then forgets.
 * To be called at least every ENGINE_BATCH_MAX facts, and before there are more than 65,536; also in a replay (fn NULL). */
#define ENGINE_BATCH_MAX 2048
typedef void engine_change_fn(void *ctx, enum row_kind kind, const void *row, bool gone);
/* How many rows are in the change stream now. */
uint32_t engine_changed_count(const struct engine *engine);
void engine_drain_changes(struct engine *engine, engine_change_fn *fn, void *ctx);

/* Loading from tables: rows in the order of ROW_LIST, any order of ids within a kind; then engine_loaded. CORRUPT when
 * a row contradicts another, FULL when the limit is reached. */
MUST_USE struct err engine_load(struct engine *engine, enum row_kind kind, const void *row);
MUST_USE struct err engine_loaded(struct engine *engine);

/* Reading, for answers and tests. NULL when there is none. */
const void *engine_row(const struct engine *engine, enum row_kind kind, uint64_t id);
const struct rider *engine_rider(const struct engine *engine, struct uuid account);
const struct ride *engine_ride(const struct engine *engine, struct uuid ride);
const struct command *engine_command(const struct engine *engine, struct uuid command); /* walks: for answers only */
const struct vehicle *engine_vehicle(const struct engine *engine, struct bytes public_code);
const struct webhook *engine_webhook(const struct engine *engine, struct bytes code);
const struct hook *engine_hook(const struct engine *engine, enum ask_kind kind);
const struct device *engine_device(const struct engine *engine, uint8_t protocol, struct bytes ident);
/* What a rider would be told who asked for this vehicle now; OK: *plan has the prices. */
enum err_code engine_offer(const struct engine *engine, const struct vehicle *vehicle, const struct plan **plan);
/* What staff would be told who marked the vehicle so, or ordered that of it, now. Nothing changes. */
enum err_code engine_would_mark(const struct engine *engine, const struct vehicle *vehicle, uint8_t event, uint8_t to);
enum err_code engine_would_order(const struct engine *engine, const struct vehicle *vehicle, uint8_t op);
uint32_t engine_row_count(const struct engine *engine, enum row_kind kind);
uint32_t engine_row_limit(const struct engine *engine, enum row_kind kind);
/* Calls back for every resident row of a kind; no order is promised. */
void engine_each(const struct engine *engine, enum row_kind kind, void (*fn)(void *ctx, const void *row), void *ctx);

/* How often each row of a transition table was taken, since init: what the simulator's coverage counts. */
struct engine_coverage {
    uint32_t vehicle[VEHICLE_STATE_N][VEHICLE_EVENT_N][VEHICLE_STATE_N];
    uint32_t ride[RIDE_STATE_N][RIDE_STATE_N];
    uint32_t command[COMMAND_STATE_N][COMMAND_STATE_N];
};
const struct engine_coverage *engine_coverage(const struct engine *engine);
/* Does the table have this row? For the coverage report and documents. */
bool vehicle_may(enum vehicle_state from, enum vehicle_event event, enum vehicle_state to);
bool ride_may(enum ride_state from, enum ride_state to);
bool command_may(enum command_state from, enum command_state to);

#endif
