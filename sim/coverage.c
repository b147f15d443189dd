/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/coverage.h"

#include <inttypes.h>

void coverage_add(struct world_figures *sum, const struct world_figures *one)
{
    /* Every figure before the hash is a plain count. */
    const uint64_t *from = (const uint64_t *)one;
    uint64_t *to = (uint64_t *)sum;
    size_t counts = offsetof(struct world_figures, state_hash) / sizeof(uint64_t);
    for (size_t i = 0; i < counts; i++) to[i] += from[i];
    sum->simulated_ms += one->simulated_ms;
    for (unsigned i = 0; i < SIM_VEHICLE_FAULT_N; i++) sum->vehicle_faults[i] += one->vehicle_faults[i];
    for (unsigned i = 0; i < SIM_RIDER_HABIT_N; i++) sum->habits[i] += one->habits[i];
    for (unsigned i = 0; i < NETWORK_FAULT_N; i++) sum->network_faults[i] += one->network_faults[i];
    for (unsigned i = 0; i < DISK_FAULT_N; i++) sum->disk_faults[i] += one->disk_faults[i];
    for (unsigned i = 0; i < OUTSIDE_FAULT_N; i++) sum->outside_faults[i] += one->outside_faults[i];
    sum->asked += one->asked;
    sum->rides_refused += one->rides_refused;
    sum->events_pushed += one->events_pushed;
    const uint32_t *rows = (const uint32_t *)&one->coverage;
    uint32_t *total = (uint32_t *)&sum->coverage;
    for (size_t i = 0; i < sizeof one->coverage / sizeof *rows; i++) total[i] += rows[i];
}

struct table { FILE *out; bool all; unsigned rows, never; };

static void row(struct table *t, const char *what, const char *name, uint64_t count)
{
    t->rows++;
    t->never += count == 0;
    if (t->all || !count) fprintf(t->out, "%12" PRIu64 "  %s: %s\n", count, what, name);
}

static void vehicle_rows(struct table *t, const struct engine_coverage *c)
{
    char name[128];
    for (unsigned from = 0; from < VEHICLE_STATE_N; from++) {
        for (unsigned event = 0; event < VEHICLE_EVENT_N; event++) {
            for (unsigned to = 0; to < VEHICLE_STATE_N; to++) {
                if (!vehicle_may(from, event, to)) continue;
                snprintf(name, sizeof name, "%s, %s, %s", enum_name(&vehicle_state_names, from),
                         enum_name(&vehicle_event_names, event), enum_name(&vehicle_state_names, to));
                row(t, "vehicle", name, c->vehicle[from][event][to]);
            }
        }
    }
}

static void pair_rows(struct table *t, const struct engine_coverage *c)
{
    char name[128];
    for (unsigned from = 0; from < RIDE_STATE_N; from++) {
        for (unsigned to = 0; to < RIDE_STATE_N; to++) {
            if (!ride_may(from, to)) continue;
            snprintf(name, sizeof name, "%s, %s", enum_name(&ride_state_names, from), enum_name(&ride_state_names, to));
            row(t, "ride", name, c->ride[from][to]);
        }
    }
    for (unsigned from = 0; from < COMMAND_STATE_N; from++) {
        for (unsigned to = 0; to < COMMAND_STATE_N; to++) {
            if (!command_may(from, to)) continue;
            snprintf(name, sizeof name, "%s, %s", enum_name(&command_state_names, from), enum_name(&command_state_names, to));
            row(t, "command", name, c->command[from][to]);
        }
    }
}

unsigned coverage_print(FILE *out, const struct world_figures *f, bool all)
{
    struct table t = {out, all, 0, 0};
    vehicle_rows(&t, &f->coverage);
    pair_rows(&t, &f->coverage);
    for (unsigned i = 0; i < NETWORK_FAULT_N; i++) row(&t, "network", network_fault_text(i), f->network_faults[i]);
    for (unsigned i = 0; i < DISK_FAULT_N; i++) {
        /* Lies and flips are planted, never part of the promise. */
        if (i == DISK_FAULT_SYNC_LIED || i == DISK_FAULT_BIT_FLIPPED || i == DISK_FAULT_DISK_FULL) continue;
        row(&t, "disk", disk_fault_text(i), f->disk_faults[i]);
    }
    for (unsigned i = 0; i < SIM_VEHICLE_FAULT_N; i++) row(&t, "vehicle fault", sim_vehicle_fault_text(i), f->vehicle_faults[i]);
    for (unsigned i = 0; i < SIM_RIDER_HABIT_N; i++) row(&t, "rider", sim_rider_habit_text(i), f->habits[i]);
    for (unsigned i = 0; i < OUTSIDE_FAULT_N; i++) row(&t, "outside", outside_fault_text(i), f->outside_faults[i]);
    row(&t, "outside", "a hook was asked", f->asked);
    row(&t, "outside", "a ride was refused", f->rides_refused);
    row(&t, "outside", "an event was pushed", f->events_pushed);
    row(&t, "server", "killed", f->kills);
    row(&t, "server", "power cut", f->power_cuts);
    row(&t, "server", "ended by its disk", f->disk_ends);
    row(&t, "server", "started on a torn tail", f->torn_starts);
    fprintf(out, "coverage: %u of %u rows exercised\n", t.rows - t.never, t.rows);
    return t.never;
}
