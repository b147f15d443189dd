/* SPDX-License-Identifier: Apache-2.0 */
/* vehicle_radio.c: a simulated vehicle's view of network and sky: places without network, what it tells late of
 * them, lock reports that are lost, and a receiver that is some metres off.
 *
 * Without network TCP notices nothing: frames of either side are swallowed, the server believes the connection
 * alive. Back in the network the box gives the old connection up and makes a new one, as real ones do. */
#include "base/must.h"
#include "proto/omni.h"
#include "sim/vehicle_inside.h"

enum {
    LOOK_MS = 2000,
    HOLE_MIN_MS = 20000, HOLE_MAX_MS = 300000,
    CELL_E7 = 20000,      /* a block of houses, about 200 m */
    NARROW_OF_CELLS = 4,
    DRIFT_S = 60          /* from one error to the next */
};

static enum sim_radio radio_at(const struct sim_vehicle *v)
{
    if (crowd_now_us(v->crowd) < v->hole_until_us) return SIM_RADIO_DEAD_SPOT;
    if (!v->config.radio.at) return SIM_RADIO_FINE;
    return v->config.radio.at(v->config.radio.ctx, sim_vehicle_place(v).at);
}

bool vehicle_has_radio(struct sim_vehicle *v)
{
    enum sim_radio radio = radio_at(v);

    if (radio == SIM_RADIO_FINE) return !v->in_hole;
    if (!v->in_hole) {
        v->in_hole = true;
        v->hole = radio;
        vehicle_count(v, SIM_VEHICLE_FAULT_NO_RADIO);
        vehicle_due(v, DUE_RADIO, LOOK_MS * 1000ll);
    }
    return false;
}

/* By bad luck, wherever it is. */
void vehicle_lose_radio(struct sim_vehicle *v)
{
    uint32_t ppm = v->config.fault_ppm ? v->config.fault_ppm[SIM_VEHICLE_FAULT_NO_RADIO] : 0;

    if (!prng_chance(&v->prng, ppm)) return;
    v->hole_until_us = crowd_now_us(v->crowd) + vehicle_between_us(v, HOLE_MIN_MS, HOLE_MAX_MS);
    (void)vehicle_has_radio(v);
}

void vehicle_look_for_radio(struct sim_vehicle *v)
{
    enum sim_radio radio = radio_at(v);

    if (!v->in_hole) return;
    if (radio != SIM_RADIO_FINE) {
        v->hole = radio;
        vehicle_due(v, DUE_RADIO, LOOK_MS * 1000ll);
        return;
    }
    v->in_hole = false;
    /* It does not know what became of the old connection; an attempt to connect may have failed meanwhile. */
    vehicle_leave(v, vehicle_between_us(v, 500, 2500));
}

enum sim_radio sim_vehicle_last_hole(const struct sim_vehicle *v) { return v->hole; }
bool sim_vehicle_is_in_hole(const struct sim_vehicle *v) { return v->in_hole; }

void vehicle_keep_late(struct sim_vehicle *v, struct point at, int64_t fix_ms)
{
    /* Full: every second one goes, so that the whole way stays told. */
    if (v->late_count == LATE_MAX) {
        for (uint32_t i = 0; i < LATE_MAX / 2; i++) v->late[i] = v->late[2 * i];
        v->late_count = LATE_MAX / 2;
    }
    v->late[v->late_count++] = (struct late){at, fix_ms};
}

void vehicle_tell_late(struct sim_vehicle *v)
{
    uint32_t count = v->late_count;

    v->late_count = 0; /* said once: this family does not repeat positions */
    for (uint32_t i = 0; i < count; i++) {
        if (!vehicle_say_late(v, &v->late[i])) return;
        vehicle_count(v, SIM_VEHICLE_FAULT_LATE);
    }
}

bool vehicle_loses(struct sim_vehicle *v)
{
    bool drawn = vehicle_unlucky(v, SIM_VEHICLE_FAULT_LOCK_LOST), asked = v->lose_lock_report;
    uint32_t *any = v->config.lose_lock_reports;

    if (drawn) return true;
    if (!asked && !(any && *any)) return false;
    if (asked) v->lose_lock_report = false;
    else --*any;
    vehicle_count(v, SIM_VEHICLE_FAULT_LOCK_LOST);
    return true;
}

void sim_vehicle_lose_lock_report(struct sim_vehicle *v) { v->lose_lock_report = true; }

/* ---- the sky ---- */

static struct point offset_of(uint64_t seed, int64_t epoch, int64_t reach_cm)
{
    struct prng p = prng_of(seed ^ (uint64_t)epoch * 0x9e3779b97f4a7c15u, bytes_text("sky"));
    return (struct point){(int32_t)prng_between(&p, -reach_cm, reach_cm),
                          (int32_t)prng_between(&p, -reach_cm, reach_cm)};
}

/* The error wanders from one to the next within a minute: neighbours in time are wrong together. */
struct fix vehicle_fix(const struct sim_vehicle *v, struct point at)
{
    struct fix fix = {at, 110, 9};
    int64_t reach_cm = v->config.gps_cm, ms = crowd_now_us(v->crowd) / 1000;

    if (!reach_cm) return fix;
    uint64_t cell = (uint64_t)(at.lat_e7 / CELL_E7) * 40503u ^ (uint64_t)(at.lon_e7 / CELL_E7) * 2654435761u;
    struct prng p = prng_of(cell, bytes_text("houses"));
    bool narrow = prng_below(&p, NARROW_OF_CELLS) == 0;
    if (narrow) reach_cm *= 3;
    int64_t epoch = ms / (DRIFT_S * 1000), into_ms = ms % (DRIFT_S * 1000);
    uint64_t seed = v->crowd->seed ^ v->config.index * 2654435761u;
    struct point a = offset_of(seed, epoch, reach_cm), b = offset_of(seed, epoch + 1, reach_cm);
    int64_t north = a.lat_e7 + ((int64_t)b.lat_e7 - a.lat_e7) * into_ms / (DRIFT_S * 1000);
    int64_t east = a.lon_e7 + ((int64_t)b.lon_e7 - a.lon_e7) * into_ms / (DRIFT_S * 1000);
    fix.at.lat_e7 += (int32_t)(north * 90 / 100);
    fix.at.lon_e7 += (int32_t)(east * 90 * 65536 / (100 * point_cos_q16(at.lat_e7)));
    fix.hdop_centi = narrow ? 320 : 90;
    fix.sats = narrow ? 5 : 11;
    return fix;
}
