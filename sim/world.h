/* SPDX-License-Identifier: Apache-2.0 */
/* world.h: a whole operator in one thread: the real engine, codecs, sessions, HTTP handlers, journal and keeper on a
 * fake clock, network and disk, with simulated vehicles, riders and staff on the other side of the wire.
 *
 *     chaos (faults, crashes) ──► calm (faults stop) ──► every ride has ended, every command is decided ──► judged
 *
 * Everything is drawn from one seed; each actor has its own stream. What is promised stands in judge.h.
 * Owner   world_create/world_destroy
 * Thread  one */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "node.h"
#include "sim/disk.h"
#include "sim/network.h"
#include "sim/outside.h"
#include "sim/rider.h"
#include "sim/staff.h"
#include "sim/vehicle.h"

#define WORLD_VEHICLES_MAX 20000
#define WORLD_RIDERS_MAX 20000
#define WORLD_WHY_MAX 512

enum world_plant { /* faults of ours, to prove that the judge notices */
    WORLD_PLANT_NONE,
    WORLD_PLANT_SYNC_LIES, /* the disk says synced and is not: every ack comes before its sync */
};

struct world_options {
    uint64_t seed;
    uint32_t vehicles, riders;      /* 0: drawn */
    int64_t chaos_ms;               /* simulated; 0: drawn */
    bool gentle;                    /* no crashes, mild radio: for the long day */
    enum world_plant plant;
    bool trace;                     /* tell what happens on stderr */
};

/* Totals over all lives of the server. */
struct world_figures {
    uint64_t facts, commits, crashes, kills, power_cuts, disk_ends, torn_starts, restarts, replayed;
    uint64_t rides_settled, rides_failed, rides_cancelled, commands, frames_in, requests, acked_checked, rides_checked, moving_orders;
    uint64_t streets_judged;
    uint64_t state_hash, seq;
    int64_t simulated_ms;
    uint64_t vehicle_faults[SIM_VEHICLE_FAULT_N], habits[SIM_RIDER_HABIT_N], network_faults[NETWORK_FAULT_N];
    uint64_t disk_faults[DISK_FAULT_N];
    uint64_t outside_faults[OUTSIDE_FAULT_N], asked, rides_refused, events_pushed;
    struct engine_coverage coverage;
};

struct world;

struct world *world_create(const struct world_options *options);
void world_destroy(struct world *w);
/* The drawn parameters in a line, to be printed first. */
void world_describe(const struct world *w, char *out, size_t room);
/* Runs everything and judges. False: `why` (WORLD_WHY_MAX) names the broken promise. */
bool world_run(struct world *w, char *why);
const struct world_figures *world_figures(const struct world *w);

#endif
