/* SPDX-License-Identifier: Apache-2.0 */
/* ready.h: may this vehicle be rented now, and at which prices: one rule, asked by a ride's start and by the street view,
 * so that nobody is shown what they would be refused. Pure. */
#ifndef ENGINE_READY_H
#define ENGINE_READY_H

#include "base/err.h"
#include "engine/rows.h"

/* What the rule looks at, of a vehicle, its type and its device. */
struct ready {
    uint8_t state, cause;       /* enum vehicle_state; enum vehicle_event that made it non_operational */
    bool taken, busy;           /* it has an open ride; a command under way */
    bool charge_counts;         /* it has a motor, and its charge is known */
    uint8_t battery_pct, battery_min_pct;
    uint8_t lock_state;         /* enum lock_state */
    int64_t seen_ms;            /* when its device last said anything; 0 = never, or no device */
    int64_t silence_ms;         /* longer than this is silent */
};

/* OK, or what a rider who asks for it is told. */
enum err_code ready_to_ride(const struct ready *r, int64_t now_ms);
/* Silence that is more than a healthy device's, for a type's heartbeat (0 = the default). */
int64_t ready_silence_ms(int64_t heartbeat_ms);
/* Does `plan` price a vehicle of this city and type better than `best` (NULL: nothing yet) does? Of all plans the one that
 * is left over counts: for the type before every type, then the older one. */
bool ready_plan_fits(const struct plan *plan, const struct plan *best, uint64_t city_id, uint64_t type_id);

#endif
