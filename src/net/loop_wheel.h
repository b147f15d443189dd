/* SPDX-License-Identifier: Apache-2.0 */
/* loop_wheel.h: which slots may be due: a timer wheel for deadlines that are renewed far more often than they
 * pass.
 *
 * It only answers "look at this slot now"; the owner keeps the true deadline, so renewing is one store in the
 * owner's memory and the wheel hears of it when the old time comes. 1,024 ticks of 64 ms; later times wait in
 * the last tick and are looked at once a minute.
 * Owner   nodes belong to the caller and outlive the wheel
 * Thread  the loop's */
#ifndef NET_LOOP_WHEEL_H
#define NET_LOOP_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

enum { WHEEL_TICKS = 1024, WHEEL_TICK_MS = 64 };
#define WHEEL_NONE UINT32_MAX

struct wheel_node {
    uint32_t next, prev; /* slots, or WHEEL_NONE */
    uint32_t tick;       /* bucket, or WHEEL_NONE when not linked */
    int64_t look_ms;     /* when the wheel will name this slot */
};

struct wheel {
    struct wheel_node *nodes;
    int64_t cursor; /* first tick not yet named */
    uint64_t filled[WHEEL_TICKS / 64];
    uint32_t first[WHEEL_TICKS];
};

void wheel_init(struct wheel *w, struct wheel_node *nodes, uint32_t count, int64_t now_ms);
/* Has `slot` named at `due_ms` or up to a tick later; sooner when it is already linked for a sooner time. */
void wheel_set(struct wheel *w, uint32_t slot, int64_t due_ms);
void wheel_clear(struct wheel *w, uint32_t slot);
/* Unlinks and names one slot whose time has come; false when there is none left. */
bool wheel_next(struct wheel *w, int64_t now_ms, uint32_t *slot);
/* When wheel_next can have something, or INT64_MAX. */
int64_t wheel_due_ms(const struct wheel *w);

#endif
