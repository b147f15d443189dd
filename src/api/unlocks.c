/* SPDX-License-Identifier: Apache-2.0 */
#include "api/unlocks.h"

#include <stdlib.h>

struct unlock {
    struct uuid ride;           /* the identity */
    int64_t begun_us, server_us;
};

struct err unlocks_init(struct unlocks *u, struct hash_key key)
{
    *u = (struct unlocks){.kept_count = 0};
    u->kept = calloc(UNLOCKS_KEPT, sizeof *u->kept);
    if (!u->kept) return ERR(IO, "no memory");
    return shelf_init(&u->open, sizeof(struct unlock), sizeof(struct uuid), UNLOCKS_OPEN, key);
}

void unlocks_fini(struct unlocks *u)
{
    shelf_fini(&u->open);
    free(u->kept);
    u->kept = NULL;
}

static uint32_t clipped(int64_t us)
{
    return us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static void keep(struct unlocks *u, const struct unlock *un, int64_t at_ms, int64_t now_us)
{
    u->kept[u->next] = (struct unlock_sample){at_ms, clipped(un->server_us), clipped(now_us - un->begun_us - un->server_us)};
    u->next = (u->next + 1) % UNLOCKS_KEPT;
    if (u->kept_count < UNLOCKS_KEPT) u->kept_count++;
    u->summed = false;
}

void unlocks_see(struct unlocks *u, const struct event *event, int64_t born_us, int64_t now_us)
{
    bool ride = event->kind == EVENT_RIDE_STATE, command = event->kind == EVENT_COMMAND_STATE;
    if ((!ride && !command) || uuid_zero(event->ride)) return;
    struct unlock *un = shelf_find(&u->open, &event->ride);
    int64_t ours_us = born_us && now_us > born_us ? now_us - born_us : 0;
    if (ride && event->ride_state == RIDE_UNLOCKING) {
        if (!un) un = shelf_add(&u->open, &event->ride);
        un->begun_us = now_us - ours_us;
        un->server_us = ours_us;
    } else if (!un) {
        return;
    } else if (command && event->command_op == COMMAND_OP_UNLOCK && event->command_state == COMMAND_ACCEPTED) {
        un->server_us += ours_us;
    } else if (ride) {
        un->server_us += ours_us;
        if (event->ride_state == RIDE_RIDING) keep(u, un, event->at_ms, now_us);
        shelf_remove(&u->open, un);
    }
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The smallest that so many of a hundred stay at or below. */
static void percentiles(uint32_t *of, uint32_t count, uint32_t out[3])
{
    static const uint32_t parts[3] = {50, 95, 99};
    qsort(of, count, sizeof *of, by_size);
    for (unsigned i = 0; i < 3; i++) out[i] = of[(count * parts[i] + 99) / 100 - 1];
}

struct unlocks_summary unlocks_sum(struct unlocks *u, int64_t now_ms)
{
    static _Thread_local uint32_t server[UNLOCKS_KEPT], device[UNLOCKS_KEPT], total[UNLOCKS_KEPT];
    if (u->summed && now_ms - u->summed_ms < UNLOCKS_FRESH_MS) return u->summary;
    struct unlocks_summary s = {0};
    for (uint32_t i = 0; i < u->kept_count; i++) {
        const struct unlock_sample *k = &u->kept[i];
        if (now_ms - k->at_ms > UNLOCKS_WINDOW_MS) continue;
        server[s.count] = k->server_us;
        device[s.count] = k->device_us;
        total[s.count++] = clipped((int64_t)k->server_us + k->device_us);
    }
    if (s.count) {
        percentiles(server, s.count, s.server_us);
        percentiles(device, s.count, s.device_us);
        percentiles(total, s.count, s.total_us);
    }
    u->summary = s;
    u->summed_ms = now_ms;
    u->summed = true;
    return s;
}
