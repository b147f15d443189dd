/* SPDX-License-Identifier: Apache-2.0 */
/* rider.h: one simulated rider with a phone, speaking HTTP to a server on any loop.
 *
 *     THINKING ─► ASKING ─► WAITING ─► RIDING ─► ENDING ─► PAYING ─► THINKING
 *        ▲          │ refused  │ failed   │ it ended by itself ▲
 *        └──────────┴──────────┘          └────────────────────┘
 *
 * Every wait is bounded; a lost reply is asked for again under the same Idempotency-Key.
 * The log holds what the rider's phone saw acknowledged, and nothing else: the oracle of "what a client saw
 * survives". What contradicts itself there (two rides for one key, a settled ride that moves, two prices)
 * is `broken` at once.
 * Owner   create/destroy
 * Thread  the loop's */
#ifndef SIM_RIDER_H
#define SIM_RIDER_H

#include "net/http_client.h"
#include "sim/crowd.h"

enum { SIM_RIDER_KEYS_MAX = 4 };

/* Chances in a million, each asked where it can happen. */
#define SIM_RIDER_HABIT_LIST(X)                                                      \
    X(WAIT,        "asked with ?wait=")                                              \
    X(DOUBLE_TAP,  "sent the same request twice at once, same key")                  \
    X(OTHER_KEY,   "sent it twice at once with two keys")                            \
    X(LOSE_REPLY,  "hung up before the reply and asked again")                       \
    X(NEW_KEY,     "asked again with a new key after a lost reply")                  \
    X(KEY_ABUSED,  "used an old key with another body")                              \
    X(LISTEN,      "listened to live events")                                        \
    X(CANCEL,      "ended before the vehicle confirmed")                             \
    X(ABANDON,     "walked away without ending")                                     \
    X(FORGET_STOP, "asked to end while rolling")                                     \
    X(FORGET_LOCK, "asked to end before closing the lock")                           \
    X(LOCK_ONLY,   "closed the lock and did not ask to end")                         \
    X(WRONG_CODE,  "mistyped the code")                                              \
    X(CURIOUS,     "looked at the ride or asked for the receipt too early")          \
    X(DAMAGED,     "said behind the ride that the vehicle is damaged")               \
    X(LOOK,        "looked what is near before asking")

enum sim_rider_habit {
#define X(name, text) SIM_RIDER_##name,
    SIM_RIDER_HABIT_LIST(X)
#undef X
    SIM_RIDER_HABIT_N
};
const char *sim_rider_habit_text(enum sim_rider_habit habit);

struct sim_rider;

struct sim_rider_config {
    struct bytes name, token, address;
    const uint32_t *habit_ppm;        /* [SIM_RIDER_HABIT_N], borrowed; NULL: none */
    uint64_t *habit_count;            /* borrowed; NULL: not counted */
    uint32_t think_s, ride_s;         /* means; each draw is half to one and a half of it. 0: 60, 600 */
    uint32_t first_s;                 /* the first wish comes within this; 0: as any other */
    uint32_t reply_ms;                /* real; 0: 40,000 */
    uint32_t log_max;                 /* 0: 4,096 */
    void *ctx;
    /* false: nothing near, think again */
    bool (*pick)(void *ctx, struct sim_rider *rider, struct text16 *code);
    uint32_t (*ride_for)(void *ctx, struct sim_rider *rider); /* seconds of this ride; NULL: by ride_s */
    /* The vehicle beside them; each may be NULL. */
    void (*on_ride)(void *ctx, struct sim_rider *rider, struct bytes code);
    void (*on_stop)(void *ctx, struct sim_rider *rider, struct bytes code);
    bool (*close_lock)(void *ctx, struct sim_rider *rider, struct bytes code); /* false: no lock for hands */
    void (*on_over)(void *ctx, struct sim_rider *rider, struct bytes code);    /* done with that vehicle */
};

enum sim_rider_saw {
    SIM_SAW_START = 1,
    SIM_SAW_STATE,
    SIM_SAW_END,
    SIM_SAW_RECEIPT,
    SIM_SAW_REFUSED,
    SIM_SAW_NOTHING
};

/* One acknowledged answer. */
struct sim_rider_log {
    int64_t at_ms;
    uint8_t saw;
    uint16_t status;
    uint64_t key;                     /* of the request; 0: none. The header is "k" and 16 hex digits of it */
    /* as in JSON, NUL at the end; "" unknown. code: of problems */
    char ride[37], state[16], code[28], vehicle_code[16];
    int64_t charge_minor;             /* -1: not said */
    bool by_event;
};

enum sim_rider_state {
    SIM_RIDER_THINKING,
    SIM_RIDER_ASKING,
    SIM_RIDER_WAITING,
    SIM_RIDER_RIDING,
    SIM_RIDER_ENDING,
    SIM_RIDER_PAYING,
    SIM_RIDER_STATE_N
};

struct sim_rider;

MUST_USE struct err sim_rider_create(struct crowd *crowd, const struct sim_rider_config *config,
                                     struct sim_rider **out);
void sim_rider_destroy(struct sim_rider *r);
/* No new rides from now on; an open one is brought to its end without any habit. */
void sim_rider_finish(struct sim_rider *r);
bool sim_rider_is_idle(const struct sim_rider *r);

enum sim_rider_state sim_rider_state_of(const struct sim_rider *r);
const char *sim_rider_state_label(enum sim_rider_state state);
struct bytes sim_rider_name(const struct sim_rider *r);
/* NULL, or the first promise that the server broke in this rider's sight. */
const char *sim_rider_broken(const struct sim_rider *r);
uint32_t sim_rider_log_of(const struct sim_rider *r, const struct sim_rider_log **at);

struct sim_rider_counters {
    uint64_t requests, replies, lost, started, riding, failed, cancelled, settled, refused, given_up, events;
    int64_t unlock_ms_sum, unlock_ms_max, charged_minor; /* unlock: tap to riding, simulated */
};
const struct sim_rider_counters *sim_rider_counters_of(const struct sim_rider *r);

#endif
