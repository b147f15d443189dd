/* SPDX-License-Identifier: Apache-2.0 */
/* loop_wheel.c: see loop_wheel.h. A bit per tick says whether its list is empty, so an idle wheel costs
 * nothing. */
#include "net/loop_wheel.h"

#include "base/must.h"

static void wheel_link(struct wheel *w, uint32_t slot, int64_t tick);

void wheel_init(struct wheel *w, struct wheel_node *nodes, uint32_t count, int64_t now_ms)
{
    w->nodes = nodes;
    w->cursor = now_ms / WHEEL_TICK_MS;
    for (uint32_t i = 0; i < WHEEL_TICKS / 64; i++) w->filled[i] = 0;
    for (uint32_t i = 0; i < WHEEL_TICKS; i++) w->first[i] = WHEEL_NONE;
    for (uint32_t i = 0; i < count; i++) nodes[i].tick = WHEEL_NONE;
}

void wheel_set(struct wheel *w, uint32_t slot, int64_t due_ms)
{
    /* Rounded up: a slot that is named before its time would be linked again and named at once, for ever. */
    int64_t tick = (due_ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS;

    if (tick < w->cursor) tick = w->cursor;
    if (tick > w->cursor + WHEEL_TICKS - 1) tick = w->cursor + WHEEL_TICKS - 1;
    if (w->nodes[slot].tick != WHEEL_NONE) {
        if (w->nodes[slot].look_ms <= tick * WHEEL_TICK_MS) return;
        wheel_clear(w, slot);
    }
    wheel_link(w, slot, tick);
}

void wheel_clear(struct wheel *w, uint32_t slot)
{
    struct wheel_node *node = &w->nodes[slot];

    if (node->tick == WHEEL_NONE) return;
    if (node->prev != WHEEL_NONE) w->nodes[node->prev].next = node->next;
    else w->first[node->tick] = node->next;
    if (node->next != WHEEL_NONE) w->nodes[node->next].prev = node->prev;
    if (w->first[node->tick] == WHEEL_NONE) w->filled[node->tick / 64] &= ~(1ull << node->tick % 64);
    node->tick = WHEEL_NONE;
}

bool wheel_next(struct wheel *w, int64_t now_ms, uint32_t *slot)
{
    int64_t due_ms = wheel_due_ms(w);

    if (due_ms > now_ms) {
        /* Nothing up to now: the ticks in between need no second look. */
        if (now_ms / WHEEL_TICK_MS > w->cursor) w->cursor = now_ms / WHEEL_TICK_MS;
        return false;
    }
    w->cursor = due_ms / WHEEL_TICK_MS;
    *slot = w->first[w->cursor % WHEEL_TICKS];
    must(*slot != WHEEL_NONE);
    wheel_clear(w, *slot);
    return true;
}

int64_t wheel_due_ms(const struct wheel *w)
{
    uint32_t start = (uint32_t)(w->cursor % WHEEL_TICKS);

    /* One word more than there are: the first is looked at twice, high bits first, low bits last. */
    for (uint32_t i = 0; i <= WHEEL_TICKS / 64; i++) {
        uint32_t word = (start / 64 + i) % (WHEEL_TICKS / 64);
        uint64_t bits = w->filled[word];
        if (i == 0) bits &= ~0ull << start % 64;
        if (i == WHEEL_TICKS / 64) bits &= ~(~0ull << start % 64);
        if (!bits) continue;
        uint32_t tick = word * 64 + (uint32_t)__builtin_ctzll(bits);
        return (w->cursor + (tick + WHEEL_TICKS - start) % WHEEL_TICKS) * WHEEL_TICK_MS;
    }
    return INT64_MAX;
}

static void wheel_link(struct wheel *w, uint32_t slot, int64_t tick)
{
    struct wheel_node *node = &w->nodes[slot];
    uint32_t bucket = (uint32_t)(tick % WHEEL_TICKS);

    node->tick = bucket;
    node->look_ms = tick * WHEEL_TICK_MS;
    node->prev = WHEEL_NONE;
    node->next = w->first[bucket];
    if (node->next != WHEEL_NONE) w->nodes[node->next].prev = slot;
    w->first[bucket] = slot;
    w->filled[bucket / 64] |= 1ull << bucket % 64;
}
