/* SPDX-License-Identifier: Apache-2.0 */
/* demo_persona.h: the people of the demo: who they are, when they ride and what they do wrong, a row each.
 * Thread  any */
#ifndef SIM_DEMO_PERSONA_H
#define SIM_DEMO_PERSONA_H

#include "sim/demo_demand.h"
#include "sim/rider.h"

/* name, share in hundredths, curve, length of their rides in hundredths of the curve's, what they are like */
#define DEMO_PERSONA_LIST(X)                                                                          \
    X(COMMUTER,  "commuter",  50, DEMO_COMMUTER, 100, "rides at rush hour, knows what to do")         \
    X(TOURIST,   "tourist",   25, DEMO_VISITOR,  100, "rides at noon, mistypes codes, looks a lot")    \
    X(IMPATIENT, "impatient", 15, DEMO_COMMUTER, 70,  "double-taps, cancels, loses replies")           \
    X(FORGETFUL, "forgetful", 10, DEMO_VISITOR,  80,  "leaves without ending or closing the lock")

enum demo_persona {
#define X(NAME, name, share, kind, length, text) DEMO_PERSONA_##NAME,
    DEMO_PERSONA_LIST(X)
#undef X
    DEMO_PERSONA_N
};

struct demo_persona_row {
    const char *name, *text;
    uint32_t share, length;                    /* hundredths */
    enum demo_rider_kind kind;
    uint32_t habit_ppm[SIM_RIDER_HABIT_N];     /* what is not named does not happen */
    uint32_t careless_ppm;                     /* tries a vehicle that no app would offer */
};

const struct demo_persona_row *demo_persona_row(enum demo_persona persona);
/* Shares are kept from the first few riders on. */
enum demo_persona demo_persona_of(uint32_t rider);

#endif
