/* SPDX-License-Identifier: Apache-2.0 */
/* demo_persona.c: see demo_persona.h. */
#include "sim/demo_persona.h"

/* Chances in a million; each is asked where it can happen, see SIM_RIDER_HABIT_LIST. */
#define HABITS_COMMUTER                                                                                     \
    {[SIM_RIDER_WAIT] = 980000, [SIM_RIDER_LISTEN] = 200000, [SIM_RIDER_DOUBLE_TAP] = 20000,                 \
     [SIM_RIDER_LOSE_REPLY] = 4000, [SIM_RIDER_LOCK_ONLY] = 100000, [SIM_RIDER_FORGET_STOP] = 10000}
#define HABITS_TOURIST                                                                                      \
    {[SIM_RIDER_WAIT] = 900000, [SIM_RIDER_LISTEN] = 600000, [SIM_RIDER_CURIOUS] = 150000,                   \
     [SIM_RIDER_WRONG_CODE] = 25000, [SIM_RIDER_DOUBLE_TAP] = 40000, [SIM_RIDER_CANCEL] = 15000,             \
     [SIM_RIDER_FORGET_STOP] = 30000, [SIM_RIDER_FORGET_LOCK] = 20000, [SIM_RIDER_LOSE_REPLY] = 4000}
#define HABITS_IMPATIENT                                                                                    \
    {[SIM_RIDER_WAIT] = 700000, [SIM_RIDER_LISTEN] = 300000, [SIM_RIDER_DOUBLE_TAP] = 400000,                \
     [SIM_RIDER_OTHER_KEY] = 30000, [SIM_RIDER_NEW_KEY] = 300000, [SIM_RIDER_LOSE_REPLY] = 30000,            \
     [SIM_RIDER_CANCEL] = 80000, [SIM_RIDER_FORGET_STOP] = 60000, [SIM_RIDER_WRONG_CODE] = 8000}
#define HABITS_FORGETFUL                                                                                    \
    {[SIM_RIDER_WAIT] = 950000, [SIM_RIDER_LISTEN] = 300000, [SIM_RIDER_ABANDON] = 50000,                    \
     [SIM_RIDER_FORGET_LOCK] = 150000, [SIM_RIDER_LOCK_ONLY] = 150000, [SIM_RIDER_FORGET_STOP] = 50000,      \
     [SIM_RIDER_WRONG_CODE] = 10000, [SIM_RIDER_LOSE_REPLY] = 4000}

enum { CARELESS_COMMUTER = 5000, CARELESS_TOURIST = 30000, CARELESS_IMPATIENT = 40000, CARELESS_FORGETFUL = 20000 };

static const struct demo_persona_row rows[DEMO_PERSONA_N] = {
#define X(NAME, name_, share_, kind_, length_, text_)                                                       \
    [DEMO_PERSONA_##NAME] = {.name = name_, .text = text_, .share = share_, .length = length_, .kind = kind_, \
                             .habit_ppm = HABITS_##NAME, .careless_ppm = CARELESS_##NAME},
    DEMO_PERSONA_LIST(X)
#undef X
};

const struct demo_persona_row *demo_persona_row(enum demo_persona persona) { return &rows[persona]; }

/* 37 and 100 have no common divisor: of each hundred riders every hundredth part comes once, well mixed. */
enum demo_persona demo_persona_of(uint32_t rider)
{
    uint32_t part = rider % 100 * 37 % 100;
    int p = 0;

    while (p + 1 < DEMO_PERSONA_N && part >= rows[p].share) part -= rows[p++].share;
    return (enum demo_persona)p;
}
