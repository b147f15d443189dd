/* SPDX-License-Identifier: Apache-2.0 */
/* town.h: a small declared city for the engine's tests: one rider, one staff, one vehicle of each dialect, and a copy of
 * every row as the change stream told it. Test support only. */
#ifndef ENGINE_TESTING_TOWN_H
#define ENGINE_TESTING_TOWN_H

#include "engine/engine.h"
#include "proto/codec.h"

#define TOWN_START_MS 1790000000000ll
#define TOWN_ROWS_MAX 4096

struct town {
    struct engine *engine;
    void *memory;
    struct effects effects; /* of the last fact */
    uint64_t seq;
    int64_t now_ms;
    uint64_t next_key;
    engine_change_fn *watch; /* told of every changed row too; may be NULL */
    void *watch_ctx;
    /* What a keeper would hold. */
    struct { uint8_t kind; bool in; _Alignas(8) uint8_t row[ROW_SIZE_MAX]; } rows[TOWN_ROWS_MAX];
    unsigned row_count;
    /* Everything applied, for replays. */
    struct fact *facts;
    uint64_t *sums;
    unsigned fact_count;
};

extern const struct uuid town_rider, town_other_rider, town_staff;
extern const struct text64 town_scooter, town_lock; /* idents: SCOR with key step, CMDR without remote lock */

struct town *town_create(void);
void town_destroy(struct town *t);
/* Applies it now. */
void town_apply(struct town *t, const struct fact *fact);
void town_tick(struct town *t, int64_t later_ms); /* time passes; every timer fires */
/* An engine loaded from the rows that the change stream gave: as after a restart. */
struct engine *town_reload(const struct town *t, void **memory);

/* Facts of the usual kinds. Sessions are 1 (scooter) and 2 (lock) unless changed. */
enum err_code town_start(struct town *t, struct uuid rider, const char *code);
enum err_code town_end(struct town *t, struct uuid rider, struct uuid ride);
enum err_code town_order(struct town *t, const char *code, enum command_op op);
enum err_code town_mark(struct town *t, const char *code, enum vehicle_event event, enum vehicle_state to);
void town_report(struct town *t, const struct text64 *ident, uint64_t session, struct fact_report report);
void town_key(struct town *t, const struct text64 *ident, enum command_op op, uint32_t key);    /* for the last order */
void town_result(struct town *t, const struct text64 *ident, enum command_op op, uint32_t result); /* for the last order */
void town_lock_seen(struct town *t, const struct text64 *ident, bool locked);
void town_speed(struct town *t, const struct text64 *ident, uint16_t speed_dmh, bool locked);
/* Puts the scooter into a ride that runs. */
const struct ride *town_ride(struct town *t);

/* The last fact's effects. */
const struct effect_order *town_sent(const struct town *t, uint8_t op);      /* NULL when none */
const struct event *town_event(const struct town *t, enum event_kind kind);  /* the last of the kind */
unsigned town_effect_count(const struct town *t, enum effect_kind kind);
const struct vehicle *town_vehicle(const struct town *t, const char *code);

#endif
