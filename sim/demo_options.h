/* SPDX-License-Identifier: Apache-2.0 */
/* demo_options.h: how `paddock demo` was called, and what follows from that for its server: settings
 * and ports.
 * Owner   texts are those of argv
 * Thread  main */
#ifndef SIM_DEMO_OPTIONS_H
#define SIM_DEMO_OPTIONS_H

#include "sim/demo_server.h"

enum { DEMO_USER_SETS_MAX = 48, DEMO_SPEED_MAX = 1000 };

struct demo_options {
    const char *dir, *report, *streets;
    uint64_t seed, vehicles, speed;
    int64_t for_ms;                     /* 0: until told to end */
    const char *sets[DEMO_USER_SETS_MAX];
    uint32_t set_count;
    bool help;
    char own[8][96];                    /* settings that the demo gives by itself */
    uint32_t own_count;
};

/* False: bad usage, and one line on stderr said what. */
bool demo_options_read(struct demo_options *o, int argc, char **argv);
void demo_options_help(void);

/* Gives the server its settings: the demo's own, then the user's. Ports that are taken are said on
 * stderr, with what to do about it; vehicles' and admin's move to a free one when the user did not name
 * them. */
MUST_USE struct err demo_options_apply(struct demo_options *o, struct demo_server *server);

#endif
