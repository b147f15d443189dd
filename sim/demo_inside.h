/* SPDX-License-Identifier: Apache-2.0 */
/* demo_inside.h: what the files of the demo city share. Nobody else includes this.
 *
 * demo_city.c  the town, its vehicles and riders, what the watch tells
 * demo_ride.c  a rider beside a vehicle: choosing, riding, what came of it, and why
 * demo_guest.c people who ride from a browser, and what the watch tells
 * demo_harm.c  what somebody at the panel does to the town
 * demo_crew.c  those who swap batteries and bring vehicles back */
#ifndef SIM_DEMO_INSIDE_H
#define SIM_DEMO_INSIDE_H

#include "sim/demo_city.h"
#include "sim/phone.h"

enum { NOBODY = UINT32_MAX, BATTERY_FLAT_PCT = 20, CLERKS_MAX = 8,
       CLERK_VEHICLES = 50, PARTS = 1000000 };

/* Faults that a vehicle suffers from for a while: (kind, how long in s). A second device with its id may have taken its
 * place on the server. */
#define DEMO_LASTING_LIST(X) \
    X(MUTE, 900) X(TWIN, 600) X(NO_RADIO, 180) X(STUCK, 900) X(ACT_SILENT, 300) X(OPENED_LOCAL, 420) X(LOCK_LOST, 120)
enum demo_lasting {
#define X(name, s) DEMO_LASTING_##name,
    DEMO_LASTING_LIST(X)
#undef X
    DEMO_LASTING_N
};

struct demo_vehicle {
    struct sim_vehicle *actor;
    struct text16 code;
    struct text64 ident;
    uint8_t dialect;
    enum vehicle_state state;             /* as last listed */
    uint32_t rider;                       /* who stands beside it; NOBODY */
    bool pulled;                          /* the crew took it in for a look */
    uint64_t faults[SIM_VEHICLE_FAULT_N], hurts[DEMO_LASTING_N];
    int64_t hurt_ms[DEMO_LASTING_N];      /* when it was last done to it */
};

struct demo_rider {
    struct demo_city *city;
    struct sim_rider *actor;
    struct prng prng;
    struct point at;
    enum demo_persona persona;
    bool careless, rode, in_hole;         /* rode: has had a first wish; the others: of the present choice */
    uint32_t index, vehicle, life;        /* vehicle: chosen; life: of the server when it was */
    uint64_t stalls;
    int64_t tapped_us, order_us;          /* real; the vehicle's orders so far */
    uint64_t faults[SIM_VEHICLE_FAULT_N], connects;
    struct sim_rider_counters before;
};

/* What one unlock took. */
struct demo_sample { uint32_t server_us, device_us; };

/* Declares a part of the town: the first one all but the vehicles, then the others a share of those,
 * side by side. */
struct demo_clerk {
    struct demo_city *city;
    struct sim_town town;
    struct sim_staff *staff;
    uint32_t first;                       /* its vehicles begin there */
};

/* Somebody at a browser has unlocked a vehicle: nobody simulated moves it. */
struct demo_guest { uint32_t vehicle; int64_t since_ms, go_ms, close_ms; }; /* go, close: 0: not */
enum { DEMO_GUESTS_MAX = 64 };

struct demo_crew {
    struct demo_city *city;
    struct phone phone;
    struct crowd_timer timer;
    struct prng prng;
    bool open;
    uint32_t vehicle;                     /* whose answer is awaited */
    uint64_t swaps, visits;
};

struct demo_city {
    struct demo_city_config config;
    struct demo_clerk clerks[1 + CLERKS_MAX];
    uint32_t clerk_count, clerks_busy;
    bool declared;
    struct demo_vehicle *vehicles;
    struct demo_rider *riders;
    struct demo_crew crew;
    struct demo_radio radio;
    uint32_t lose_lock_reports;           /* so many are still to be lost */
    struct demo_guest guests[DEMO_GUESTS_MAX];
    uint32_t guest_count;
    uint32_t life;
    uint64_t habits[SIM_RIDER_HABIT_N];
    struct demo_tallies reasons[DEMO_OUTCOME_N], refused_by_habit, refused_by_persona, faults_of_failed;
    struct demo_refusal refusals[DEMO_REFUSALS_MAX]; /* a ring */
    uint64_t refusal_count, persona_rides[DEMO_PERSONA_N];
    struct demo_failure *failures;
    uint32_t failure_count;
    struct demo_sample *samples;
    uint64_t sample_count;                /* a ring once it is full */
};

/* demo_city.c */
struct point demo_city_place(struct demo_city *c, uint64_t draw);
/* NULL when the code is nobody's. */
struct demo_vehicle *demo_city_vehicle(struct demo_city *c, struct bytes code);
struct err demo_city_people(struct demo_city *c);

/* demo_ride.c */
struct err demo_rider_begin(struct demo_city *c, uint32_t index);
void demo_ride_why(struct demo_city *c, uint32_t what, struct bytes ride);
/* Looks what was done to a vehicle since it was last looked at. */
void demo_ride_hurts(struct demo_vehicle *v, int64_t sim_ms);
void demo_ride_measure(struct demo_city *c, uint64_t latest);

/* demo_guest.c */
void demo_guests_turn(struct demo_city *c);

/* demo_crew.c */
struct err demo_crew_begin(struct demo_crew *w, struct demo_city *c);
void demo_crew_end(struct demo_crew *w);

#endif
