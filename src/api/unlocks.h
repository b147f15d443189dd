/* SPDX-License-Identifier: Apache-2.0 */
/* unlocks.h: how long riders waited for their vehicle to open, over the last quarter of an hour, and on whom: the server
 * or the vehicle and its radio.
 *
 * Server  the request's last byte to the order's release; the key's arrival to the second order's; the vehicle's word
 *         that it is open to the rider's event. The rest is the vehicle's.
 * Limits  UNLOCKS_KEPT of the last UNLOCKS_WINDOW_MS, UNLOCKS_OPEN under way; older ones make room
 * Thread  one; no clock of its own */
#ifndef API_UNLOCKS_H
#define API_UNLOCKS_H

#include "api/shelf.h"
#include "engine/effect.h"

#define UNLOCKS_KEPT 4096u
#define UNLOCKS_OPEN 4096u
#define UNLOCKS_WINDOW_MS (15 * 60000ll)
#define UNLOCKS_FRESH_MS 1000   /* a summary is worked out anew once a second at most */

struct unlocks_summary {
    uint32_t count;
    uint32_t server_us[3], device_us[3], total_us[3]; /* p50, p95, p99 */
};

struct unlocks {
    struct shelf open;          /* by ride */
    struct unlock_sample { int64_t at_ms; uint32_t server_us, device_us; } *kept;
    uint32_t kept_count, next;
    struct unlocks_summary summary;
    int64_t summed_ms;
    bool summed;
};

MUST_USE struct err unlocks_init(struct unlocks *u, struct hash_key key);
void unlocks_fini(struct unlocks *u); /* fine on a zero one */
/* An event is released at now_us; its bytes were read at born_us (monotonic; 0: nobody's). */
void unlocks_see(struct unlocks *u, const struct event *event, int64_t born_us, int64_t now_us);
/* As of now_ms, the time of events. */
struct unlocks_summary unlocks_sum(struct unlocks *u, int64_t now_ms);

#endif
