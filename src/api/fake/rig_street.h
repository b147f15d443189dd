/* SPDX-License-Identifier: Apache-2.0 */
/* rig_street.h: the rig's street, told by a test: one city with one plan, and vehicles V-1, V-2... */
#ifndef API_RIG_STREET_H
#define API_RIG_STREET_H

#include "api/fake/rig.h"

#define RIG_CITY 2u /* its legal entity is 1, its type 3, its plan 4 */

/* What is zero is as of a vehicle that may be rented: available, locked, heard of now, connected. */
struct rig_place {
    int32_t lat_e7, lon_e7;
    uint8_t state, battery_pct; /* 0: available; never reported */
    uint16_t speed_dmh;
    uint64_t city;              /* 0: RIG_CITY */
    bool nowhere;               /* never reported a position */
};

void rig_street_declare(struct rig *r);
void rig_street_vehicle(struct rig *r, uint8_t name, struct rig_place place);
/* Shows what was told, as of the next fact; the first is 1. */
void rig_street_show(struct rig *r);

#endif
