/* SPDX-License-Identifier: Apache-2.0 */
/* network.h: a fake world of TCP: loops of net/loop.h that share one fake clock, and the faults between them.
 *
 *     client loop ──connect──► link: up ───► chunks with a due time ───► server loop
 *                                    ◄─ down ─┘        every draw from the link's own stream
 *
 * A link is one TCP connection: its bytes never change, repeat or overtake each other. What a network does
 * to the messages above TCP is done here across connections: bytes of a dead connection arrive after its
 * successor's.
 * Time    moves only in network_step() and network_advance(); loop_turn() never waits. Starts at start_us
 * Seed    (seed, link's name) decides every fault of a link; see network_name_link()
 * Limits  WINDOW bytes under way and unread in one direction, then the writer is blocked as by a full socket
 * Owner   the simulator; loops end by loop_destroy() or network_kill() before network_destroy()
 * Thread  one */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include "net/loop.h"

enum { NETWORK_WINDOW = 65536, NETWORK_LOOP_MAX = 16, NETWORK_RULE_MAX = 8 };

#define NETWORK_FAULT_LIST(X)                                                    \
    X(SPLIT,     "a write arrived in pieces")                                    \
    X(GLUE,      "bytes waited for what came behind them")                       \
    X(STALL,     "a direction stood still for a while")                          \
    X(SILENCE,   "a direction swallowed all bytes until the reset")              \
    X(RESET,     "both sides saw a reset")                                       \
    X(HALF_OPEN, "the client saw a reset, the server nothing for long")          \
    X(LATE,      "a dead connection's bytes arrived after its successor opened") \
    X(REFUSED,   "a connect was refused by chance")                              \
    X(DOWN,      "a connect found nobody listening")                             \
    X(CUT,       "bytes under way were lost with their connection")              \
    X(KILLED,    "a connection of a killed process")

enum network_fault {
#define X(name, text) NETWORK_FAULT_##name,
    NETWORK_FAULT_LIST(X)
#undef X
    NETWORK_FAULT_N
};
const char *network_fault_text(enum network_fault fault);

/* One direction. Chances are per write, in a million. All zero: instant and perfect. */
struct network_way {
    uint32_t latency_us, jitter_us;           /* each chunk: latency + 0..jitter, never overtaking */
    uint32_t split_ppm, glue_ppm, glue_us;
    uint32_t stall_ppm, stall_us;             /* 1..stall_us */
    uint32_t silence_ppm, silence_us;         /* then both sides see a reset */
};

struct network_faults {
    struct network_way up, down;              /* up: from the side that connected */
    uint32_t refuse_ppm;                      /* per connect */
    uint32_t reset_ppm;                       /* per write, either direction */
    uint32_t half_open_ppm, half_open_us;     /* per write up; the server hears of it 1..half_open_us later */
    /* per write up: the client sees a reset, the bytes come 1..late_us later */
    uint32_t late_ppm, late_us;
};

struct network;

struct network *network_create(uint64_t seed, int64_t start_us);
void network_destroy(struct network *n);

/* A loop on this network; `name` is only for streams of links that were not named. conn_max and memory_max
 * count. */
struct loop *network_loop_create(struct network *n, const char *name, const struct loop_config *config);
/* A crash: its connections vanish, the loop is gone without callbacks. Per link the peer sees a reset at
 * once or up to `reset_us` later, and what was under way still arrives or does not. */
void network_kill(struct loop *l, uint32_t reset_us);

/* For links to listeners of that port from now on; port 0: every port without a rule of its own. Open links
 * keep theirs. */
void network_set_faults(struct network *n, uint16_t port, const struct network_faults *faults);
/* Also for open links: no new fault begins anywhere; what is broken ends as it was to end. */
void network_calm(struct network *n);
/* Names the next connection that `client` makes: actors give their name and a count, so that one actor more
 * does not reshuffle the others. Copied (48 bytes). */
void network_name_link(struct loop *client, struct bytes name);

int64_t network_now_us(const struct network *n);
/* When something happens next (bytes, deadlines, hooks, wakes); LOOP_NEVER when nothing will. */
int64_t network_next_us(const struct network *n);
/* Moves the clock to that moment (at most `until_us`), and turns every loop that has something to do, in
 * the order of creation, until none has. False: nothing was to happen before until_us, and the clock stands
 * there. */
bool network_step(struct network *n, int64_t until_us);
/* For owners of the order of turns: the clock moves (not beyond network_next_us), bytes arrive, nobody is
 * turned. */
void network_advance(struct network *n, int64_t to_us);
bool network_wants_turn(const struct loop *l);
void network_run(struct network *n, int64_t until_us);

/* By hand, for tests: to every open link of `l`. */
void network_break(struct loop *l, enum network_fault fault);

uint64_t network_fault_count(const struct network *n, enum network_fault fault);
/* Over every byte delivered, when and where: equal for equal runs. */
uint64_t network_hash(const struct network *n);
uint32_t network_link_count(const struct network *n);

#endif
