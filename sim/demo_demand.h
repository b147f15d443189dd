/* SPDX-License-Identifier: Apache-2.0 */
/* demo_demand.h: when the people of the demo ride, and for how long: a curve over the hours of a weekday and
 * of a weekend for each kind of rider.
 *
 * The curve in the code has the shape that shared fleets have: commuters at eight and at half past five,
 * visitors from noon to evening, few at night. tools/demand counts another one from real trips, which is
 * taken instead when its file is there.
 * Hostile the file is checked line by line before it is believed
 * Thread  main */
#ifndef SIM_DEMO_DEMAND_H
#define SIM_DEMO_DEMAND_H

#include "base/bytes.h"

enum demo_rider_kind { DEMO_COMMUTER, DEMO_VISITOR, DEMO_KIND_N };
enum demo_day { DEMO_WEEKDAY, DEMO_WEEKEND, DEMO_DAY_N };
enum { DEMO_DECILES = 9, DEMO_DEMAND_LIVELY = 650, DEMO_DEMAND_FILE_MAX = 65536, DEMO_LENGTH_MAX_S = 7200 };

struct demo_demand {
    uint32_t trips[DEMO_KIND_N][DEMO_DAY_N][24]; /* in an hour, in any unit */
    uint32_t length_s[DEMO_KIND_N][DEMO_DECILES];
    bool measured;                               /* from a file */
};

void demo_demand_init(struct demo_demand *d);
/* NOT_FOUND: there is no such file. MALFORMED: there is, but not such a one; `d` is as it was. */
MUST_USE struct err demo_demand_read(struct demo_demand *d, const char *path);
MUST_USE struct err demo_demand_parse(struct demo_demand *d, struct bytes text);

/* How much of their busiest hour: 0 to 1,000, moving between the middles of hours. `local_ms`: as a clock on
 * the wall shows it. */
uint32_t demo_demand_of(const struct demo_demand *d, enum demo_rider_kind kind, int64_t local_ms);
/* Of all riders together. */
uint32_t demo_demand_now(const struct demo_demand *d, int64_t local_ms);
/* How far the riders' day must be ahead of the clock on the wall for something to be seen: 0 when there is
 * enough life now, else until the next lively hour that begins. */
int64_t demo_demand_ahead_ms(const struct demo_demand *d, int64_t local_ms);
/* The length of a ride; `draw_ppm` below a million says which one of all. */
uint32_t demo_demand_length_s(const struct demo_demand *d, enum demo_rider_kind kind, uint32_t draw_ppm);

#endif
