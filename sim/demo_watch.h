/* SPDX-License-Identifier: Apache-2.0 */
/* demo_watch.h: what the demo knows of its server, asked like any client would: /metrics, the list of
 * vehicles, live events, and why a ride failed. Nothing is read out of the server's memory.
 *
 * Paced in real time; what cannot be asked now (the server is gone) is asked again later.
 * Owner   create/destroy
 * Thread  the loop's */
#ifndef SIM_DEMO_WATCH_H
#define SIM_DEMO_WATCH_H

#include "sim/crowd.h"
#include "sim/demo_figures.h"

enum { WATCH_METRICS_MS = 500, WATCH_VEHICLES_MS = 1000, WATCH_RETRY_MS = 500, WATCH_PAGE = 250,
       WATCH_WHYS_MAX = 256 };

struct demo_watch_config {
    struct crowd *crowd;
    struct bytes token;                /* of staff */
    struct bytes http, admin;
    struct demo_figures *figures;
    int64_t stall_ms;                  /* an answer that takes longer is a stall; 0: none is */
    void *ctx;
    void (*on_vehicle)(void *ctx, struct bytes code, enum vehicle_state state); /* as listed */
    void (*on_event)(void *ctx, struct bytes event);                            /* its JSON */
    void (*on_why)(void *ctx, uint32_t what, struct bytes ride);                /* JSON; empty: nobody knows */
};

struct demo_watch;

MUST_USE struct err demo_watch_create(const struct demo_watch_config *config, struct demo_watch **out);
void demo_watch_destroy(struct demo_watch *w); /* NULL is fine */
/* Asks what is due. */
void demo_watch_turn(struct demo_watch *w);
/* The server was started anew: its counters begin at zero. */
void demo_watch_restarted(struct demo_watch *w);
bool demo_watch_is_waiting(const struct demo_watch *w); /* for answers about rides */
/* Asks for a ride; answered by on_why with `what`. False: too many are waiting. */
bool demo_watch_why(struct demo_watch *w, uint32_t what, const char *ride);

/* The next element of a JSON list; moves `list` (with or without its first bracket) behind it. */
bool demo_watch_next(struct bytes *list, struct bytes *element);
/* What the server's own clock shows, from a Date header: ms since 1970. */
bool demo_watch_date(struct bytes header, int64_t *ms);

#endif
