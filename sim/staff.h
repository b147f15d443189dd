/* SPDX-License-Identifier: Apache-2.0 */
/* staff.h: one simulated member of staff speaking HTTP: first declares a town, then works in it.
 *
 *     PUT operator, entities, cities, types, plans, vehicles; drop-offs ─► ready ─► at work ─► finished
 *
 * Set-up steps are repeated until they are answered with 200: they are idempotent by nature. Work is
 * random: MDS events (legal and not, the rare ones favoured), orders to vehicles, lists and timelines.
 * Owner   create/destroy; texts of the town are borrowed for as long
 * Thread  the loop's */
#ifndef SIM_STAFF_H
#define SIM_STAFF_H

#include "net/http_client.h"
#include "sim/crowd.h"

struct sim_put { const char *path, *body; }; /* "/v1/cities/gbg", JSON */

struct sim_staff_vehicle {
    struct text16 code;
    struct text64 ident;
    const char *city, *type;
};

struct sim_town {
    const struct sim_put *puts;           /* in this order, before the vehicles */
    uint32_t put_count, vehicle_count;
    void *ctx;
    void (*vehicle)(void *ctx, uint32_t index, struct sim_staff_vehicle *out);
    bool keep_removed;                    /* no drop-offs at set-up */
};
/* One entity, one city around `lat`, `lon` (decimal degrees as text), a scooter and a bicycle type, a plan
 * each. */
extern const struct sim_town sim_town_plain;

struct sim_staff_config {
    struct bytes name, token, address;
    const struct sim_town *town;
    bool set_up;                          /* false: the town is there */
    uint32_t act_s;                       /* mean pause between acts; 0: never acts */
    uint32_t event_pct, order_pct;        /* of the acts; the rest looks at things */
    uint32_t reply_ms, log_max;
    void *ctx;
    void (*on_ready)(void *ctx);          /* the town is declared; NULL is fine */
    void (*close_lock)(void *ctx, uint32_t vehicle); /* by hand, after an order to unlock; NULL is fine */
};

enum sim_staff_did { SIM_DID_PUT = 1, SIM_DID_EVENT, SIM_DID_ORDER, SIM_DID_LOOK };

/* One acknowledged answer. */
struct sim_staff_log {
    int64_t at_ms;
    uint8_t did;
    uint16_t status;
    uint32_t vehicle;                     /* index in the town */
    uint64_t key;
    /* event or op; command's id; the vehicle's or command's state; problem */
    char what[28], command[37], state[24], code[28];
};

struct sim_staff;

MUST_USE struct err sim_staff_create(struct crowd *crowd, const struct sim_staff_config *config,
                                     struct sim_staff **out);
void sim_staff_destroy(struct sim_staff *s);
/* Their eye falls on this vehicle: the next acts are a row of events of it. */
void sim_staff_look_at(struct sim_staff *s, uint32_t vehicle);
bool sim_staff_is_ready(const struct sim_staff *s);
/* Acts no more. */
void sim_staff_finish(struct sim_staff *s);
bool sim_staff_is_idle(const struct sim_staff *s);
const char *sim_staff_broken(const struct sim_staff *s);
uint32_t sim_staff_log_of(const struct sim_staff *s, const struct sim_staff_log **at);

struct sim_staff_counters { uint64_t requests, replies, lost, ok, refused, given_up; };
const struct sim_staff_counters *sim_staff_counters_of(const struct sim_staff *s);

#endif
