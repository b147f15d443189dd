/* SPDX-License-Identifier: Apache-2.0 */
/* people_cmd.h: `paddock load --riders`: declares locks, has riders use them, and reports. */
#ifndef LOAD_PEOPLE_CMD_H
#define LOAD_PEOPLE_CMD_H

#include "load/people.h"

struct people_asked {
    struct people_options options;
    const char *http, *token, *data, *json; /* the token of staff; data: the server's directory */
};

/* What people who look at a map and ride ask for: from how many have the app open. Of 5,000 with a real operator, one in
 * eight rides and is looked at every five seconds, each pans the map every 25, and one ride begins a second. */
void people_usual_rates(uint32_t riders, uint32_t per_s[PEOPLE_KIND_N]);
/* Exit code as of `paddock load`. */
int people_cmd(struct people_asked *asked);

#endif
