/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/clock.h"

#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

void clock_init(struct clock *c, int64_t speed, int64_t floor_ms)
{
    int64_t wall_ms = clock_wall_ms();
    c->speed = speed;
    c->mono0_us = c->watched_us = clock_mono_us();
    c->base_ms = wall_ms > floor_ms ? wall_ms : floor_ms;
    c->jump_ms = 0;
    atomic_init(&c->slew_ms, 0);
    atomic_init(&c->last_ms, c->base_ms);
}

int64_t clock_now_ms(struct clock *c)
{
    int64_t ms = c->base_ms + (clock_mono_us() - c->mono0_us) * c->speed / 1000 +
                 atomic_load_explicit(&c->slew_ms, memory_order_relaxed);
    int64_t last = atomic_load_explicit(&c->last_ms, memory_order_relaxed);
    while (ms > last) {
        if (atomic_compare_exchange_weak(&c->last_ms, &last, ms)) return ms;
    }
    return last;
}

int64_t clock_slew_ms(int64_t offset_ms, int64_t elapsed_ms)
{
    if (offset_ms > CLOCK_JUMP_MS || offset_ms < -CLOCK_JUMP_MS) return 0;
    int64_t most_ms = elapsed_ms / 100;
    if (offset_ms > most_ms) return most_ms;
    return offset_ms < -most_ms ? -most_ms : offset_ms;
}

int64_t clock_watch(struct clock *c)
{
    if (c->speed != 1) return 0; /* the demo's clock follows nothing */
    int64_t mono_us = clock_mono_us(), offset_ms = clock_wall_ms() - clock_now_ms(c);
    int64_t elapsed_ms = (mono_us - c->watched_us) / 1000;
    c->watched_us = mono_us;
    int64_t slew_ms = clock_slew_ms(offset_ms, elapsed_ms);
    atomic_fetch_add_explicit(&c->slew_ms, slew_ms, memory_order_relaxed);
    int64_t news_ms = offset_ms - c->jump_ms;
    if (news_ms <= CLOCK_JUMP_MS && news_ms >= -CLOCK_JUMP_MS) return 0;
    c->jump_ms = offset_ms;
    return news_ms;
}
