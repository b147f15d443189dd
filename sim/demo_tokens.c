/* SPDX-License-Identifier: Apache-2.0 */
/* demo_tokens.c: see demo_tokens.h. */
#include "sim/demo_tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ten years: the city's clock may run a thousand times as fast as ours. */
#define GOOD_FOR_MS (3650 * 86400000ll)

enum who { WHO_PEOPLE = 1, WHO_STAFF, WHO_RIDER };

static struct err grant(struct auth *a, enum who who, uint32_t number, enum auth_role role, int64_t now_ms,
                        struct demo_token *out)
{
    struct auth_grant g = {.role = role, .now_ms = now_ms, .expires_ms = now_ms + GOOD_FOR_MS};
    struct uuid account;

    /* A UUID of version 8: made by a rule of one's own. */
    memcpy(g.account.at, "paddock demo", 12);
    g.account.at[6] = 0x80 | (uint8_t)who;
    g.account.at[8] = 0x80;
    store_u32(g.account.at + 12, number);
    out->text[AUTH_TOKEN_LEN] = 0;
    return auth_grant(a, &g, out->text, &account);
}

struct err demo_tokens_init(struct demo_tokens *t, const char *dir, uint32_t rider_count, int64_t now_ms)
{
    char path[1200];
    struct auth_options options = {.path = path};
    struct auth *a = NULL;

    snprintf(path, sizeof path, "%s/contacts.db", dir);
    *t = (struct demo_tokens){.riders = calloc(rider_count + 1, sizeof *t->riders),
                              .rider_count = rider_count};
    struct err e = t->riders ? auth_create(&options, &a) : ERR(IO, "no memory");
    for (uint32_t role = 1; role < AUTH_ROLE_N && !e.code; role++)
        e = grant(a, WHO_PEOPLE, role, (enum auth_role)role, now_ms, &t->people[role]);
    if (!e.code) e = grant(a, WHO_STAFF, 1, AUTH_CONTROL, now_ms, &t->staff);
    if (!e.code) e = grant(a, WHO_STAFF, 2, AUTH_CREW, now_ms, &t->crew);
    if (!e.code) e = grant(a, WHO_STAFF, 3, AUTH_ONCALL, now_ms, &t->watch);
    for (uint32_t i = 0; i < rider_count && !e.code; i++)
        e = grant(a, WHO_RIDER, i, AUTH_RIDER, now_ms, &t->riders[i]);
    auth_destroy(a);
    if (e.code) demo_tokens_fini(t);
    return e;
}

void demo_tokens_fini(struct demo_tokens *t)
{
    free(t->riders);
    *t = (struct demo_tokens){0};
}
