/* SPDX-License-Identifier: Apache-2.0 */
/* outside.h: the operator's own programs in the simulator: a hook that says yes or no by the question's name, and a
 * receiver that keeps every event; between them and the server a way that loses, delays, breaks and doubles.
 *
 * It stands in for net/client.h and outlives the server: what was received before a crash stays received.
 * Owner  outside_create/outside_destroy
 * Thread one */
#ifndef SIM_OUTSIDE_H
#define SIM_OUTSIDE_H

#include "net/client.h"

#define OUTSIDE_FAULT_LIST(X)                            \
    X(LOST_REQUEST, "a call never arrived")              \
    X(LOST_ANSWER,  "a call's answer was lost")          \
    X(LATE,         "a call's answer came too late")     \
    X(ERROR,        "a call was answered with a 500")    \
    X(TWICE,        "a call arrived twice")

enum outside_fault {
#define X(name, text) OUTSIDE_##name,
    OUTSIDE_FAULT_LIST(X)
#undef X
    OUTSIDE_FAULT_N
};
const char *outside_fault_text(enum outside_fault fault);

struct outside_config {
    uint64_t seed;
    const uint32_t *fault_ppm;       /* OUTSIDE_FAULT_N; borrowed, may change */
    uint64_t *fault_count;           /* OUTSIDE_FAULT_N; counted up */
    int64_t (*now_us)(void *ctx);
    void *ctx;
};

struct outside;
struct outside *outside_create(const struct outside_config *config);
void outside_destroy(struct outside *o);
/* For the next life of the server: what is under way is lost to it. `client_destroy` on it does nothing. */
struct caller *outside_client(struct outside *o);
/* When an answer is due; INT64_MAX: none is. The server is then to look. */
int64_t outside_next_us(const struct outside *o);

/* Events received, doubles dropped, in the order of their first coming. */
struct outside_event { uint64_t seq; uint32_t part; };
uint32_t outside_events(const struct outside *o, const struct outside_event **out);
uint64_t outside_asked(const struct outside *o);
/* First thing that broke the order, "" when nothing did. */
const char *outside_broken(const struct outside *o);

#endif
