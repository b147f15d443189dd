/* SPDX-License-Identifier: Apache-2.0 */
/* demo_place.h: the towns that the demo can be, a row each: where, what it costs there, what time it is.
 *
 * Adding a town is a row here and a source of its streets in tools/streets.
 * Thread  any */
#ifndef SIM_DEMO_PLACE_H
#define SIM_DEMO_PLACE_H

#include "geo/point.h"
#include "sim/staff.h"

struct demo_place {
    const char *code, *name, *prefix;           /* prefix: of public codes, with its hyphen */
    const char *time_zone, *language;
    const char *currency;
    uint8_t decimals;
    struct point centre;
    uint32_t reach_m;                           /* people want to go to places within this of the centre */
    int32_t offset_min;                         /* east of UTC in winter */
    bool summer;                                /* an hour more from the last Sunday of March to that of October */
    const struct sim_put *puts;                 /* operator, legal entity, city, vehicle types, plans */
    uint32_t put_count;
};

/* NULL: no such town. */
const struct demo_place *demo_place_find(const char *code);
/* The first is what is taken when nobody chooses; NULL behind the last. */
const struct demo_place *demo_place_nth(uint32_t nth);
/* What a clock on the wall shows there, as ms since 1970 for civil_of_ms. */
int64_t demo_place_local_ms(const struct demo_place *place, int64_t ms);
/* "12.50 SEK", at most `room` bytes with the NUL. */
const char *demo_place_money(const struct demo_place *place, int64_t minor, char *text, size_t room);

#endif
