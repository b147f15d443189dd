/* SPDX-License-Identifier: Apache-2.0 */
/* demo_tokens.c: see demo_tokens.h. */
#include "sim/demo_tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "api/people.h"

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

/* Easy to read and to type, new at every start: a server that somebody lets out of this machine is not open to all. */
static void draw_password(char out[DEMO_PASSWORD_ROOM])
{
    static const char *const words[32] = {
        "amber", "basin", "birch", "brook", "cedar", "cliff", "cloud", "coral", "delta", "ember", "fjord", "grove",
        "haven", "ivory", "lemon", "linen", "maple", "marsh", "ocean", "olive", "opal",  "pearl", "pine",  "quartz",
        "raven", "reed",  "river", "slate", "storm", "tulip", "wharf", "willow",
    };
    uint8_t r[4] = {0};

    if (getrandom(r, sizeof r, 0) != sizeof r) r[0] = 0; /* as far as it goes: it is a demo */
    snprintf(out, DEMO_PASSWORD_ROOM, "%s-%s-%s-%02u", words[r[0] % 32], words[r[1] % 32], words[r[2] % 32], r[3] % 100);
}

static struct err hire(struct auth *a, struct demo_tokens *t, int64_t now_ms)
{
    struct uuid account;

    draw_password(t->password);
    struct people_staff staff = {.name = bytes_text(DEMO_STAFF_NAME), .role = AUTH_CONTROL,
                                 .password = bytes_text(t->password)};
    return people_staff_put(a, &staff, SECRET_COST, now_ms, &account);
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
    if (!e.code) e = hire(a, t, now_ms);
    auth_destroy(a);
    if (e.code) demo_tokens_fini(t);
    return e;
}

void demo_tokens_fini(struct demo_tokens *t)
{
    free(t->riders);
    *t = (struct demo_tokens){0};
}
