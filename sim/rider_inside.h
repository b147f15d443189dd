/* SPDX-License-Identifier: Apache-2.0 */
/* rider_inside.h: what the files of a simulated rider share. Nobody else includes this.
 *
 * rider.c      what the rider does next
 * rider_see.c  what the rider's phone saw: the log, and promises that contradict each other */
#ifndef SIM_RIDER_INSIDE_H
#define SIM_RIDER_INSIDE_H

#include "sim/phone.h"
#include "sim/rider.h"

enum rider_ask { ASK_START = 1, ASK_CURRENT, ASK_RIDE, ASK_END, ASK_RECEIPT, ASK_OTHER_BODY, ASK_LIVE,
           ASK_DAMAGE, ASK_NEAR };
enum { KEYS_KEPT = 8, RIDE_ID_LEN = 36 };

struct key_ride { uint64_t key; char ride[RIDE_ID_LEN + 1]; };

struct sim_rider {
    struct crowd *crowd;
    struct prng prng;
    struct sim_rider_config config;
    struct text64 name;
    struct phone phone, second, live;
    struct crowd_timer timer, tunnel;  /* tunnel: the phone loses its reply */
    enum sim_rider_state state;

    struct text16 code;
    char ride[RIDE_ID_LEN + 1];        /* "": none that we know of */
    char start_body[64];
    uint64_t key, start_key;           /* of the present wish; of the start */
    uint32_t tries, refusals, checks;
    int64_t tapped_us, ride_until_us, waited_since_us;
    bool finishing, lost, rolling, near, will_cancel, need_end, ended_once, abandoned, curious;

    struct key_ride keys[KEYS_KEPT];
    uint32_t key_next;
    char over_state[16];               /* how `ride` ended, as seen; "": not yet */
    int64_t over_charge, receipt_total; /* -1: not seen */
    int64_t near_seq;                  /* of the newest look at what is near */
    uint64_t sent_when_over;           /* requests of the first phone sent before that was seen */
    const char *broken;

    struct sim_rider_log *log;
    uint32_t log_count, log_cap;
    struct sim_rider_counters counters;
};

/* What an answer says of a ride; texts borrowed. */
struct ride_seen { struct bytes id, state, code, refusal; int64_t charge; bool any; };

/* rider_see.c */
struct ride_seen rider_see(struct sim_rider *r, struct phone *phone, int status, struct bytes body);
void rider_see_near(struct sim_rider *r, int status, struct bytes body);
void rider_see_event(struct sim_rider *r, struct bytes data);
void rider_see_broken(struct sim_rider *r, const char *why);

#endif
