/* SPDX-License-Identifier: Apache-2.0 */
/* demo_tokens.h: who may talk to the demo's server: log-ins for people who try it, and those of the
 * simulated city. Accounts are the same at every start on the same data; tokens are new ones.
 * Owner   init/fini
 * Thread  any, before or while the server runs */
#ifndef SIM_DEMO_TOKENS_H
#define SIM_DEMO_TOKENS_H

#include "api/auth.h"

enum { DEMO_PASSWORD_ROOM = 32 };
#define DEMO_STAFF_NAME "demo"
/* Of the numbers that Sweden keeps for stories: nobody has it. */
#define DEMO_RIDER_PHONE "+46701740605"

struct demo_token { char text[AUTH_TOKEN_LEN + 1]; };

struct demo_tokens {
    struct demo_token people[AUTH_ROLE_N]; /* by role */
    struct demo_token staff, crew, watch;  /* simulated: declare the town, swap batteries, ask for figures */
    struct demo_token *riders;
    uint32_t rider_count;
    char password[DEMO_PASSWORD_ROOM];     /* of the member of staff "demo" */
};

MUST_USE struct err demo_tokens_init(struct demo_tokens *t, const char *dir, uint32_t rider_count,
                                     int64_t now_ms);
void demo_tokens_fini(struct demo_tokens *t);

#endif
