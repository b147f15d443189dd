/* SPDX-License-Identifier: Apache-2.0 */
/* demo_city.h: the people and vehicles of the demo. An empty town is declared over HTTP by simulated
 * staff; then vehicles connect, riders ride them, and a crew looks after what the street does to them.
 *
 * Vehicles err as the table in demo_city.c says, so that there is something to see; every failed ride
 * is told together with the injected fault that explains it.
 * Owner   create/destroy
 * Thread  the loop's */
#ifndef SIM_DEMO_CITY_H
#define SIM_DEMO_CITY_H

#include "sim/demo_demand.h"
#include "sim/demo_figures.h"
#include "sim/demo_persona.h"
#include "sim/demo_place.h"
#include "sim/demo_radio.h"
#include "sim/demo_tokens.h"
#include "sim/demo_watch.h"
#include "sim/rider.h"
#include "sim/staff.h"
#include "sim/streets.h"
#include "sim/vehicle.h"

enum { DEMO_VEHICLES_MAX = 18000, DEMO_RIDERS_MAX = 400, DEMO_FAILURES_MAX = 1000, DEMO_REFUSALS_MAX = 200,
       DEMO_TALLIES_MAX = 32, DEMO_SAMPLES_MAX = 65536 };

struct demo_city_config {
    struct crowd *crowd;
    const struct demo_place *place;
    const struct demo_demand *demand;
    struct bytes http, vehicles;
    const struct demo_tokens *tokens;
    struct streets *streets;            /* NULL: straight lines */
    struct demo_figures *figures;       /* counts, seed and speed are in it */
    struct demo_watch *watch;
};

struct demo_tally { char name[32]; uint64_t count; };
struct demo_tallies { struct demo_tally at[DEMO_TALLIES_MAX]; uint32_t count; };

/* A ride that failed, and what had been done to it. */
struct demo_failure {
    char ride[37], reason[32];          /* reason: "" not told */
    struct text16 code;
    uint32_t rider;
    const char *fault;                  /* NULL: nothing that was injected explains it */
};

/* A start that the server refused, and what the rider or the street had done. The latest are kept. */
struct demo_refusal {
    char reason[32];                    /* the server's code */
    struct text16 code;
    uint32_t rider;
    const char *habit;                  /* NULL: nothing explains it */
};

struct demo_city;

MUST_USE struct err demo_city_create(const struct demo_city_config *config, struct demo_city **out);
void demo_city_destroy(struct demo_city *c); /* NULL is fine */
bool demo_city_is_declared(const struct demo_city *c);
/* Brings the figures up to now; a few times a second. */
void demo_city_count(struct demo_city *c);
/* The server is another process than before; what was under way then is not measured. */
void demo_city_restarted(struct demo_city *c);
/* NULL, or the first promise that somebody saw broken; `who` names them. */
const char *demo_city_broken(const struct demo_city *c, struct bytes *who);

/* From the watch: see demo_watch_config. */
void demo_city_on_vehicle(struct demo_city *c, struct bytes code, enum vehicle_state state);
void demo_city_on_event(struct demo_city *c, struct bytes event);
void demo_city_on_why(struct demo_city *c, uint32_t what, struct bytes ride);

/* From the panel. FULL, VEHICLE_UNKNOWN. `inside`: vehicles that are there; an empty code: whichever comes next. */
MUST_USE struct err demo_city_cut(struct demo_city *c, struct point at, uint32_t radius_m, uint32_t for_s,
                                  uint32_t *inside);
uint32_t demo_city_mend(struct demo_city *c);
MUST_USE struct err demo_city_lose_ack(struct demo_city *c, struct bytes code);
const struct demo_radio *demo_city_radio(const struct demo_city *c);
uint32_t demo_city_acks_to_lose(const struct demo_city *c);

/* For the report. */
enum demo_outcome { DEMO_COMPLETED, DEMO_FAILED, DEMO_CANCELLED, DEMO_REFUSED, DEMO_OUTCOME_N };
const struct demo_tallies *demo_city_reasons(const struct demo_city *c, enum demo_outcome outcome);
/* Failed rides by what the world had done to them; refused starts by what the rider had done, and by who they are.
 * "unexplained" is nobody's doing. */
const struct demo_tallies *demo_city_faults_of_failed(const struct demo_city *c);
const struct demo_tallies *demo_city_refused_by_habit(const struct demo_city *c);
const struct demo_tallies *demo_city_refused_by_persona(const struct demo_city *c);
uint64_t demo_city_rides_of(const struct demo_city *c, enum demo_persona persona);
uint32_t demo_city_fault_ppm(enum sim_vehicle_fault fault);
/* Oldest first; valid until the next refusal. */
uint32_t demo_city_refusals(const struct demo_city *c, const struct demo_refusal *at[DEMO_REFUSALS_MAX]);
uint32_t demo_city_failures(const struct demo_city *c, const struct demo_failure **at);
struct sim_vehicle_counters demo_city_vehicles(const struct demo_city *c);
struct sim_rider_counters demo_city_riders(const struct demo_city *c);
uint64_t demo_city_faults(const struct demo_city *c, enum sim_vehicle_fault fault);
uint64_t demo_city_habits(const struct demo_city *c, enum sim_rider_habit habit);
uint32_t demo_city_dialect(const struct demo_city *c, uint8_t dialect);
/* Over all unlocks instead of the latest. */
void demo_city_measure_all(struct demo_city *c);
const char *demo_fault_label(enum sim_vehicle_fault fault);
const char *demo_habit_label(enum sim_rider_habit habit);

#endif
