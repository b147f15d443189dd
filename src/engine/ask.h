/* SPDX-License-Identifier: Apache-2.0 */
/* ask.h: the engine's own side of programs outside: questions to hooks (ask.c) and cursors of webhooks (webhook.c).
 * Pure. Thread engine only. */
#ifndef ENGINE_ASK_H
#define ENGINE_ASK_H

#include "engine/state.h"

#define ASK_DEADLINE_MIN_MS 100
#define ASK_DEADLINE_MAX_MS 30000

/* ---- ask.c ---- */
/* The hook of that kind, NULL when nobody is to be asked. */
const struct hook *hook_for(const struct engine *e, enum ask_kind kind);
void hook_set(struct engine *e, const struct fact_hook_set *f);
bool ask_room(const struct engine *e);
/* Asks; the ride hears of it by ride_asked(), once. */
void ask_begin(struct engine *e, const struct hook *hook, struct ride *r);
/* The ride needs no answer any more. */
void ask_withdraw(struct engine *e, struct ride *r);
void ask_answered(struct engine *e, const struct fact_ask_answered *f);
void ask_timer(struct engine *e, struct ask *ask);
void ask_restarted(struct engine *e);

/* ---- webhook.c ---- */
void webhook_set(struct engine *e, const struct fact_webhook_set *f);
void webhook_moved(struct engine *e, const struct fact_webhook_moved *f);

/* ---- elsewhere ---- */
struct ask *ask_find(struct engine *e, struct uuid ask);                                     /* index.c */
const struct city *city_find(const struct engine *e, const struct text32 *code);             /* declare.c */
/* The question of a ride that waits is decided. */
void ride_asked(struct engine *e, struct ride *r, enum verdict verdict, bool answered);      /* ride.c */

#endif
