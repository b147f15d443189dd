/* SPDX-License-Identifier: Apache-2.0 */
/* demo_options.h: how `paddock demo` was called, and what follows from that for its server: settings
 * and ports.
 * Owner   texts are those of argv
 * Thread  main */
#ifndef SIM_DEMO_OPTIONS_H
#define SIM_DEMO_OPTIONS_H

#include "sim/demo_place.h"
#include "sim/demo_server.h"

/* An order has fifteen seconds of the city to be answered and a key ten. At DEMO_SPEED_FAIR that is half a second of
 * real time and a third: what machine and disk may need when they are busy. Faster, rides would fail because the machine
 * is not fast enough, and the demo would tell nothing about anything. */
enum { DEMO_USER_SETS_MAX = 48, DEMO_SPEED_MAX = 1000, DEMO_SPEED_FAIR = 30 };

struct demo_options {
    const char *dir, *report, *streets, *demand;
    const struct demo_place *place;
    uint64_t seed, vehicles, speed;
    uint64_t asked_speed;               /* above DEMO_SPEED_FAIR it is not given */
    int64_t hour;                       /* at which the riders' day begins; -1: as on the wall, or a livelier one */
    int64_t for_ms;                     /* 0: until told to end */
    const char *sets[DEMO_USER_SETS_MAX];
    uint32_t set_count;
    bool help, passing;                 /* passing: the caller removes the data afterwards */
    char own[12][96];                   /* settings that the demo gives by itself */
    uint32_t own_count;
};

/* False: bad usage, and one line on stderr said what. */
bool demo_options_read(struct demo_options *o, int argc, char **argv);
void demo_options_help(void);

/* Gives the server its settings: the demo's own, then the user's. Ports that are taken are said on
 * stderr, with what to do about it; vehicles' and admin's move to a free one when the user did not name
 * them. */
MUST_USE struct err demo_options_apply(struct demo_options *o, struct demo_server *server);
/* Tells the server where the demo's panel is. */
MUST_USE struct err demo_options_panel(struct demo_options *o, struct demo_server *server, struct bytes address);

#endif
