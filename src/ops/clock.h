/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h: the server's time: wall clock at the start, then monotonic, drawn toward the wall clock by at most 1 %.
 *
 * Never backwards. A wall clock that jumps by more than CLOCK_JUMP_MS is not followed but reported, once a jump.
 * `speed` runs it faster than real time, for the demo only.
 * Thread  clock_now_ms from any; clock_watch from one */
#ifndef OPS_CLOCK_H
#define OPS_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>

#define CLOCK_JUMP_MS 5000

struct clock {
    int64_t speed;               /* 1 in production */
    int64_t mono0_us, base_ms;   /* time = base + (mono - mono0) * speed + slew */
    _Atomic int64_t slew_ms;     /* correction so far */
    _Atomic int64_t last_ms;     /* the latest answer */
    int64_t watched_us, jump_ms; /* last look at the wall clock; offset already reported */
};

/* Starts at the later of the wall clock and `floor_ms` (the journal's end). */
void clock_init(struct clock *c, int64_t speed, int64_t floor_ms);
int64_t clock_now_ms(struct clock *c);
int64_t clock_mono_us(void);
int64_t clock_wall_ms(void);
/* Once a second or so: draws the time toward the wall clock. Returns a jump in ms to be reported, or 0. */
int64_t clock_watch(struct clock *c);

/* The pure half, for tests: correction for an offset (wall - ours) after `elapsed_ms`, at most 1 % of it; 0 when the offset
 * is a jump. */
int64_t clock_slew_ms(int64_t offset_ms, int64_t elapsed_ms);

#endif
