/* SPDX-License-Identifier: Apache-2.0 */
#include "street_begin.h"

#define DAY_RIDE_MS (13 * 3600000ll) /* no ride is longer than this, unless its city says so */

struct day_walk { struct street *street; int64_t oldest_ms; uint64_t last_id; bool over; };

static struct err seed_ride(void *ctx, enum row_kind kind, const void *row)
{
    struct day_walk *w = ctx;
    const struct ride *r = row;
    (void)kind;
    w->last_id = r->id;
    w->over = r->requested_ms < w->oldest_ms;
    if (!w->over) street_seed_ride(w->street, r);
    return NO_ERR;
}

static void longest_ride(void *ctx, const void *row)
{
    int64_t *longest_ms = ctx;
    const struct city *city = row;
    if (city->ride_max_ms > *longest_ms) *longest_ms = city->ride_max_ms;
}

/* Rides come newest first, so the walk ends at the first that is too old. */
void street_begin(struct street *street, struct recovered *recovered)
{
    int64_t longest_ms = DAY_RIDE_MS;
    engine_each(recovered->engine, ROW_CITY, longest_ride, &longest_ms);
    int64_t day_ms = recovered->now_ms - recovered->now_ms % STREET_DAY_MS;
    struct day_walk w = {.street = street, .oldest_ms = day_ms - longest_ms};
    struct tables_query q = {.kind = ROW_RIDE, .newest_first = true, .limit = TABLES_LIST_MAX};
    uint64_t as_of;
    street_seed(street, recovered->engine);
    do {
        w.last_id = 0;
        if (tables_list(&recovered->tables, &q, seed_ride, &w, &as_of).code) return;
        q.after_id = w.last_id;
    } while (w.last_id && !w.over);
}
