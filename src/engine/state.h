/* SPDX-License-Identifier: Apache-2.0 */
/* state.h: the inside of the engine, shared by its own files only.
 *
 * Rows are reached through the edit_* and the row pointers below; indexes, heaps and coverage are derived and
 * rebuilt by engine_loaded, so nothing outside the rows may decide anything.
 * Thread  engine only */
#ifndef ENGINE_STATE_H
#define ENGINE_STATE_H

#include "base/hash.h"
#include "base/must.h"
#include "engine/heap.h"
#include "engine/pool.h"
#include "proto/codec.h"

#define MINUTE_MS 60000ll
#define HOUR_MS (60 * MINUTE_MS)

/* Bounds on what one step may do; what is left is done by the next steps. */
#define TIMERS_PER_STEP_MAX 48
#define FORGET_PER_STEP_MAX 64

#define ANSWER_KEEP_MS (24 * HOUR_MS)

struct engine {
    struct pool pools[ROW_N];
    struct map vehicle_by_code, device_by_ident, quarantine_by_ident, rider_by_uuid, staff_by_uuid, ride_by_uuid,
        answer_by_key, ask_by_uuid;
    struct heap timers, over, quarantine_order;
    struct partition *self; /* the one row of PARTITION */
    struct effects *out;    /* of the present step */
    struct engine_limits limits;
    struct engine_coverage coverage;
};

/* ---- rows ---- */
uint64_t new_id(struct engine *e);
struct uuid new_uuid(struct engine *e);
uint64_t draw(struct engine *e);
/* A row by id, for reading, or for changing; NULL when not in memory (id 0 included). One at hand needs no look-up. */
const void *row_of(const struct engine *e, enum row_kind kind, uint64_t id);
void *edit_of(struct engine *e, enum row_kind kind, uint64_t id);
void *edit_row(struct engine *e, enum row_kind kind, const void *row);
/* New row, NULL when full. Its id is given, its uuid is the caller's. */
void *add_row(struct engine *e, enum row_kind kind);
int64_t now_of(const struct engine *e);

#define ROW(e, KIND, tag, id) ((const struct tag *)row_of((e), ROW_##KIND, (id)))
#define EDIT(e, KIND, tag, id) ((struct tag *)edit_of((e), ROW_##KIND, (id)))

/* ---- indexes ---- */
struct device *device_find(struct engine *e, uint8_t protocol, const struct text64 *ident);
struct vehicle *vehicle_find(struct engine *e, struct bytes code);
struct rider *rider_find(struct engine *e, struct uuid account);
struct staff *staff_find(struct engine *e, struct uuid account);
struct ride *ride_find(struct engine *e, struct uuid ride);
struct request_key { struct uuid account; uint64_t key0, key1, body_hash; };
struct answer *answer_find(struct engine *e, const struct request_key *key);
struct quarantine *quarantine_find(struct engine *e, uint8_t protocol, const struct text64 *ident);
/* Adds a row to the indexes of its kind. FULL cannot happen: indexes are as large as pools. */
void index_row(struct engine *e, enum row_kind kind, const void *row);
void unindex_row(struct engine *e, enum row_kind kind, const void *row);

/* ---- time ---- */
/* When the row wants to be woken; 0 = never. The one place that knows. */
int64_t deadline_of(const struct engine *e, enum row_kind kind, const void *row);
/* Call after anything that may have moved a row's deadline. */
void timer_touch(struct engine *e, enum row_kind kind, const void *row);
/* Marks a ride or command as over with this fact: memory lets go once the tables hold it. */
void over_now(struct engine *e, enum row_kind kind, uint64_t id);

/* ---- effects ---- */
struct event *event_begin(struct engine *e, enum event_kind kind);
void event_end(struct engine *e, struct event *event);
/* Fills in who it concerns; each may be NULL. */
void event_about(struct event *event, const struct vehicle *v, const struct ride *r, const struct command *c);
void emit_order(struct engine *e, const struct device *d, const struct command *c, uint8_t op, uint8_t step, uint32_t key);
/* Positions every so many seconds, 0 = no more. A wish: nobody waits for its outcome. */
void emit_track(struct engine *e, const struct device *d, uint32_t seconds);
void emit_hang_up(struct engine *e, uint64_t session);
void reply_err(struct engine *e, enum err_code code);
void reply_row(struct engine *e, enum row_kind kind, uint64_t id, struct uuid uuid);

/* ---- facts, a file each ---- */
void apply_declaration(struct engine *e, const struct fact *fact); /* declare.c, kinds 10-29 */
void apply_request(struct engine *e, const struct fact *fact);     /* request.c, kinds 30-49 */
void apply_device(struct engine *e, const struct fact *fact);      /* device.c, kinds 50- */
void quarantine_note(struct engine *e, uint8_t protocol, const struct text64 *ident, bool poisoned);

/* ---- vehicle.c ---- */
void vehicle_change(struct engine *e, struct vehicle *v, enum vehicle_event event, enum vehicle_state to);
/* The vehicle spoke: undoes non_contactable and missing, pays what is owed. */
void vehicle_heard(struct engine *e, struct vehicle *v);
void vehicle_lost(struct engine *e, struct vehicle *v);
/* One rider's from now on. MDS hears of it with the trip, or as a reservation when the unlock takes long. */
void vehicle_take(struct vehicle *v, const struct ride *r);
void vehicle_reserve(struct engine *e, struct vehicle *v);
void vehicle_begin_trip(struct engine *e, struct vehicle *v);
/* The ride is over: `event` is trip_end, trip_cancel or reservation_cancel; now, or once the vehicle speaks. */
void vehicle_end_trip(struct engine *e, struct vehicle *v, enum vehicle_event event);
/* Staff said where it stands: silence counts anew, whatever was known before. */
void vehicle_listen(struct engine *e, const struct vehicle *v);
/* A trip may have begun while the vehicle was silent: it is told now. */
void vehicle_tell_trip(struct engine *e, struct vehicle *v);
/* Battery, suspicion: available <-> non_operational. */
void vehicle_check(struct engine *e, struct vehicle *v);
void vehicle_moved_to(struct engine *e, struct vehicle *v, const struct device *d);
struct err vehicle_mark_allowed(const struct engine *e, const struct vehicle *v, enum vehicle_event event,
                                enum vehicle_state *to);
int64_t silence_ms(const struct engine *e, const struct device *d);

/* ---- command.c ---- */
bool device_still(const struct engine *e, const struct device *d); /* known to stand still right now */
/* Orders something; *out is the command. Refusals: those of command_allowed, and FULL. */
struct err command_allowed(const struct engine *e, const struct vehicle *v, enum command_op op, enum command_why why);
struct err command_order(struct engine *e, struct vehicle *v, enum command_op op, enum command_why why,
                         uint64_t ride_id, uint64_t staff_id, struct command **out);
void command_withdraw(struct engine *e, struct command *c);
/* May the vehicle's device be taken off: is nothing under way but what is unknown? */
bool command_may_let_go(const struct engine *e, const struct vehicle *v);
/* The device is taken off: what nobody will ever know is given up. */
void command_let_go(struct engine *e, const struct vehicle *v);
void command_keyed(struct engine *e, struct device *d, const struct fact_device_keyed *f);
/* True when it answered a command of ours. */
bool command_result(struct engine *e, struct device *d, const struct fact_lock_result *f);
void command_echo(struct engine *e, struct device *d, enum command_op op);
/* A report came: unknown commands may be decided by it. */
void command_seen(struct engine *e, struct device *d, const struct fact_report *f);
void command_session(struct engine *e, struct device *d);
void command_timer(struct engine *e, struct command *c);
void command_restarted(struct engine *e);
void ask_state(struct engine *e, const struct device *d);

/* ---- ride.c ---- */
void ride_start(struct engine *e, const struct fact_ride_start *f);
void ride_end(struct engine *e, const struct fact_ride_end *f);
/* Its command got no answer in time: it goes on, but no longer quickly. */
void ride_command_unknown(struct engine *e, const struct ride *r);
void ride_command_over(struct engine *e, struct ride *r, const struct command *c);
/* How much a word about the lock is worth: a lone result that anybody can send and the device repeats until it is
 * acknowledged, the state in a report, a result that names our own unlock order. */
enum lock_sign { LOCK_SIGN_CLAIMED, LOCK_SIGN_REPORTED, LOCK_SIGN_PROVEN };
void ride_lock_seen(struct engine *e, struct ride *r, bool locked, enum lock_sign sign);
/* A report about movement came while the ride waits for it to stand still; or a second sign after an unproven lock. */
void ride_report_seen(struct engine *e, struct ride *r, struct device *d, const struct fact_report *f);
/* Its device connected anew: settings that a restart forgets are given again. */
void ride_device_back(struct engine *e, const struct ride *r, const struct device *d);
void ride_timer(struct engine *e, struct ride *r);
bool ride_open(const struct ride *r);
struct ride *ride_of_vehicle(const struct engine *e, const struct vehicle *v);
/* Unlocked and no ride: says so, and locks it again where that is safe. */
void lock_watch(struct engine *e, struct vehicle *v, struct device *d, enum lock_state before);

/* ---- charge.c ---- */
/* Started minutes between two times. */
uint32_t charge_minutes(int64_t started_ms, int64_t ended_ms);
/* Fixes minutes and price of an ended ride and books it, once. */
void charge_ride(struct engine *e, struct ride *r);

/* ---- answer.c ---- */
/* True when this request was answered before: the same answer (or the mismatch) has been replied. */
bool answer_again(struct engine *e, const struct request_key *key);
/* Replies, and keeps the answer for repeats unless it says "try again". */
void answer_err(struct engine *e, const struct request_key *key, enum err_code code);
void answer_row(struct engine *e, const struct request_key *key, enum row_kind kind, uint64_t id, struct uuid uuid);

#endif
