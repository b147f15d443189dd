/* SPDX-License-Identifier: Apache-2.0 */
/* office.h: the staff's side of a load run: declares the vehicles of wire.h, and reads afterwards where the server keeps
 * them, both through the public API.
 *
 * Declares  legal entity, city, type and plan `load`, then each vehicle; saying it again changes nothing
 * Limits    OFFICE_CLIENTS requests at once, OFFICE_PATIENCE_MS without an answer ends it
 * Thread    one; blocks */
#ifndef LOAD_OFFICE_H
#define LOAD_OFFICE_H

#include "base/bytes.h"

enum { OFFICE_CLIENTS = 24, OFFICE_PATIENCE_MS = 15000, OFFICE_TEXT_MAX = 256 };

struct office_options {
    struct bytes address, token;   /* of the API; a token of the role control */
    uint32_t first, count;         /* numbers of the vehicles */
    const volatile bool *stop;     /* becomes true: give up; NULL: never */
};

/* `why` (OFFICE_TEXT_MAX) says what was answered. */
MUST_USE struct err office_declare(const struct office_options *o, char *why);

/* Says of each declared vehicle that it was dropped off: a rider may take it. One that may be taken already stays so. */
MUST_USE struct err office_make_fit(const struct office_options *o, char *why);

/* Calls back for every vehicle of ours that the list has; has_position false: none is known. */
typedef void office_vehicle_fn(void *ctx, uint32_t number, bool has_position, int64_t lat_e7, int64_t lon_e7);
MUST_USE struct err office_list(const struct office_options *o, office_vehicle_fn *fn, void *ctx, char *why);

/* One page of the list; returns the cursor of the next, empty when it was the last. For tests. */
struct bytes office_page(const struct office_options *o, struct bytes body, office_vehicle_fn *fn, void *ctx);

#endif
