/* SPDX-License-Identifier: Apache-2.0 */
/* vehicle.h: one simulated OMNI vehicle (SCOR, HBCR, CMDR) as an actor on any loop: in the simulator on the
 * fake network, in `paddock demo` on real sockets.
 *
 *     AWAY ──connect──► SIGNING ──Q0, H0──► ON ──lost, restart──► AWAY (backoff)
 *
 * It behaves as protocols/omni.md section 10 says, with knobs for everything that goes wrong in the street,
 * and keeps a truthful log of what it did and what it saw acknowledged: the oracle of the simulator.
 * Memory  about 1.2 KB and its log, 0.5 KB in the loop
 * Owner   create/destroy; texts of the config are copied
 * Thread  the loop's */
#ifndef SIM_VEHICLE_H
#define SIM_VEHICLE_H

#include "geo/point.h"
#include "proto/omni_device.h"
#include "sim/crowd.h"
#include "sim/vehicle_fault.h"

enum { SIM_VEHICLE_OWED_MAX = 8, SIM_VEHICLE_TRIES_MAX = 5, SIM_VEHICLE_REPEAT_MS = 5000 };

struct sim_path_place { struct point at; uint16_t speed_dmh; uint32_t ridden_m; };
/* Where a vehicle is `ridden_ms` after it left `from`; `draw` is chosen at the start of the leg. */
struct sim_path_fn {
    void *ctx;
    struct sim_path_place (*at)(void *ctx, uint32_t vehicle, struct point from, uint64_t draw,
                                int64_t ridden_ms);
};
extern const struct sim_path_fn sim_path_straight; /* 15 km/h there and back, at most 2 km away */

/* Is there a network where it is? Asked before every frame, in and out. */
enum sim_radio { SIM_RADIO_FINE, SIM_RADIO_DEAD_SPOT, SIM_RADIO_CUT };
struct sim_radio_fn { void *ctx; enum sim_radio (*at)(void *ctx, struct point at); };

struct sim_vehicle_config {
    uint32_t index;                   /* the owner's number for it */
    struct bytes ident;               /* IMEI; also its name */
    struct bytes address;             /* of the gateway */
    uint8_t dialect;                  /* OMNI_SCOR, OMNI_HBCR, OMNI_CMDR */
    struct bytes vendor;              /* empty: "OM" */
    uint32_t heartbeat_s;             /* 0: 240 */
    /* While unlocked a position this often, also when it was asked for fewer; 0: only when asked. */
    uint32_t track_s;
    uint32_t place_s;                 /* a position with every sign-in, every closed lock, and this often; 0: when asked */
    uint32_t gps_cm;                  /* positions drift by up to so much, thrice that in narrow streets */
    uint32_t idle_ppm_per_h;          /* of the battery, for the box alone, ridden or not */
    struct sim_radio_fn radio;        /* .at NULL: everywhere */
    uint32_t *lose_lock_reports;      /* borrowed: so many are lost, of whichever vehicles come next; NULL: none */
    struct point at;
    uint8_t battery_pct;
    struct sim_path_fn path;          /* .at NULL: sim_path_straight */
    const uint32_t *fault_ppm;        /* [SIM_VEHICLE_FAULT_N], borrowed and shared, may change; NULL: none */
    uint64_t *fault_count;            /* [SIM_VEHICLE_FAULT_N], borrowed; NULL: not counted */
    uint32_t log_max;                 /* entries; the oldest go. 0: keeps no log */
    uint32_t first_connect_ms;        /* spread; drawn from 0 to this */
    void *ctx;
    void (*on_lock)(void *ctx, uint32_t index, bool locked); /* it really did; NULL is fine */
};

enum sim_vehicle_log_kind {
    SIM_VEHICLE_LOG_UNLOCKED = 1,  /* the lock opened */
    SIM_VEHICLE_LOG_LOCKED,        /* it closed */
    /* a frame went out that says so: L0 with 0, or state for the first time since */
    SIM_VEHICLE_LOG_SAID_UNLOCKED,
    SIM_VEHICLE_LOG_SAID_LOCKED,
    SIM_VEHICLE_LOG_REFUSED,       /* an order was refused or failed; result */
    /* a report of the lock was acknowledged (of anything else the counters tell); certain: the server must
     * have it, see below */
    SIM_VEHICLE_LOG_ACKED,
    SIM_VEHICLE_LOG_GIVEN_UP,      /* no room for one more unacknowledged report: the oldest is forgotten */
    /* an order to lock or restart came while it moved; certain: it had said so thrice here */
    SIM_VEHICLE_LOG_MOVING,
};

/* `certain`: acknowledgements do not say what they are for; this one cannot have been for an older frame. */
struct sim_vehicle_log {
    int64_t at_ms;
    uint8_t kind, by_order, result, certain; /* by_order: 0 by hand or Bluetooth */
    char command[4];
    uint32_t user, stamp;
    int64_t moved_ms; /* MOVING: for how long by then; 64 bits leave no gap: logs are hashed as bytes */
};

/* The engine has a struct vehicle of its own; the simulator's world sees both, hence the prefix. */
struct sim_vehicle;

MUST_USE struct err sim_vehicle_create(struct crowd *crowd, const struct sim_vehicle_config *config,
                                       struct sim_vehicle **out);
/* Before its crowd. The server sees it hang up. */
void sim_vehicle_destroy(struct sim_vehicle *v);

/* Its rider: rides off (nothing when locked), stops where it is, pushes the horseshoe lock shut (false: it
 * has none that a hand can close, or it moves), or anyone: opens it over Bluetooth. */
void sim_vehicle_ride(struct sim_vehicle *v);
void sim_vehicle_stop(struct sim_vehicle *v);
bool sim_vehicle_close_lock(struct sim_vehicle *v);
void sim_vehicle_open_local(struct sim_vehicle *v);
void sim_vehicle_set_battery(struct sim_vehicle *v, uint8_t pct);
/* Carried by hand or van to where it stands from now on; not while it moves. */
void sim_vehicle_put(struct sim_vehicle *v, struct point at);
/* Its next lock report or the answer to it is lost once. */
void sim_vehicle_lose_lock_report(struct sim_vehicle *v);
/* Flat or in a van: hangs up and stays away until switched on again. */
void sim_vehicle_switch(struct sim_vehicle *v, bool on);
void sim_vehicle_restart(struct sim_vehicle *v);

struct sim_path_place sim_vehicle_place(const struct sim_vehicle *v);
uint8_t sim_vehicle_battery_pct(const struct sim_vehicle *v);
bool sim_vehicle_is_locked(const struct sim_vehicle *v);
bool sim_vehicle_is_moving(const struct sim_vehicle *v);
bool sim_vehicle_is_connected(const struct sim_vehicle *v);
int64_t sim_vehicle_connected_ms(const struct sim_vehicle *v); /* for so long; 0: it is not */
/* Why it last had no network; FINE: it always had one. */
enum sim_radio sim_vehicle_last_hole(const struct sim_vehicle *v);
/* Is without network now. */
bool sim_vehicle_is_in_hole(const struct sim_vehicle *v);
bool sim_vehicle_is_stuck(const struct sim_vehicle *v);
uint8_t sim_vehicle_dialect(const struct sim_vehicle *v);
struct bytes sim_vehicle_ident(const struct sim_vehicle *v);
/* When a frame last said so (or a twin of it), ms; 0: never. */
int64_t sim_vehicle_said_unlocked_ms(const struct sim_vehicle *v);
/* Reports that nobody has acknowledged yet. */
uint32_t sim_vehicle_owes(const struct sim_vehicle *v);
/* oldest first */
uint32_t sim_vehicle_log_of(const struct sim_vehicle *v, const struct sim_vehicle_log **at);
/* Entries that had to go because log_max was reached: whoever judges by the log is blind before its first. */
uint32_t sim_vehicle_log_forgot(const struct sim_vehicle *v);

struct sim_vehicle_counters {
    uint64_t connects, closes, frames_out, frames_in, bad_in, writes_refused, acks, repeats, unlocks, locks;
    int64_t order_us; /* simulated time that it took over keys and bolts; the rest of an unlock is the server's and the way's */
};
const struct sim_vehicle_counters *sim_vehicle_counters_of(const struct sim_vehicle *v);

#endif
