/* SPDX-License-Identifier: Apache-2.0 */
/* street_json.h: what a snapshot of the street looks like in an answer: vehicles near by, rows of maps, counts, and the
 * tables that describe them.
 *
 * Maps    rows of plain values under one list of columns: a tenth of the bytes of objects
 * Sight   riders are shown what they could rent, and nothing of who rides what
 * Thread  any that holds the snapshot */
#ifndef API_STREET_JSON_H
#define API_STREET_JSON_H

#include "api/scope.h"
#include "api/schema.h"
#include "api/unlocks.h"
#include "base/json.h"
#include "street/street.h"

#define STREET_ROW_MAX 256u /* bytes of one row of a map, more than any has */

void street_json_near(const struct snapshot *s, const struct grid_found *found, uint32_t count, struct json *j);
void street_json_columns(struct json *j);
/* One row, in the order of the columns. */
void street_json_row(const struct snapshot *s, const struct street_vehicle *v, struct json *j);
/* One vehicle for a rider who stands before it or saw its code. */
void street_json_vehicle(const struct snapshot *s, const struct street_vehicle *v, int64_t now_ms, struct json *j);

/* What the control room's counters are made of beside the snapshot. */
/* Is the city at that place of the snapshot in it? STREET_NONE is the whole operator's. */
bool street_in_scope(const struct snapshot *s, const struct scope *scope, uint32_t city);

struct street_figures {
    const struct scope *scope;            /* only these; NULL: all */
    uint16_t city;                        /* only this one; STREET_NONE: all */
    int64_t now_ms;
    struct unlocks_summary unlocks;
    int64_t age_ms;                       /* of the snapshot, in real time */
};
void street_json_stats(const struct snapshot *s, const struct street_figures *figures, struct json *j);

extern const struct schema answer_near, answer_map, answer_map_live, answer_stats;
extern const struct schema schema_offer;

#endif
