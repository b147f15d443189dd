/* SPDX-License-Identifier: Apache-2.0 */
/* bulk.h: one event or order for many vehicles: a fact for each, one answer about all.
 *
 *     codes ────────────────────►┐
 *     filter ─► PICK: the desk ─►┴► ASK: would the engine? ─► dry run: replied
 *                                                          └► PUT: a fact each ─► replied, once every one is durable
 *
 * Safety  the engine decides about each vehicle for itself, as if it had been asked alone
 * Scope   asked first: a vehicle of another city is not there, and its fact names the city that was seen
 * Repeat  each fact's key follows from the call's and the vehicle, so nothing is done twice. The vehicles of the last
 *         calls are remembered: a filter that would find others by now does not do more. After a restart it may
 * Gone    who leaves before the first fact is put has done nothing; afterwards all of it is done
 * Limits  BULK_VEHICLES_MAX a call, BULKS_MAX calls at once, BULK_WINDOW facts of each under way
 * Thread  the loop's */
#ifndef API_BULK_H
#define API_BULK_H

#include "api/desk.h"
#include "api/schema.h"
#include "engine/traffic.h"

enum { BULK_VEHICLES_MAX = 500, BULKS_MAX = 8, BULK_WINDOW = 32 };

#define BULK_HANDLE (1ull << 31) /* in handles that the engine sees: far above any place of a pending entry */

struct api;
struct bulks;
struct pending;

MUST_USE struct err bulks_create(struct bulks **out);
void bulks_destroy(struct bulks *all); /* NULL is fine */

/* The desk found what the filter wants. */
void bulk_picked(struct api *api, struct pending *p, const struct desk_result *r);
/* A reply or an answer to a handle with BULK_HANDLE. */
void bulk_on(struct api *api, const struct to_api *in);
/* Goes on where the ring was full. True: call again shortly. */
bool bulks_turn(struct api *api);
/* The entry ends before its call did. */
void bulk_drop(struct api *api, const struct pending *p);

extern const struct schema answer_bulk;

#endif
