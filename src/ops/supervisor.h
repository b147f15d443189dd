/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor.h: what a supervisor (systemd) is told: ready, stopping, still alive, and why not. The sd_notify protocol: one
 * datagram of lines to the socket that $NOTIFY_SOCKET names; silence when there is none.
 *
 * Alive   WATCHDOG=1 is said only while every thread of the server turned within SUPERVISOR_STUCK_MS: a stuck thread lets
 *         the supervisor's own time run out, and it starts the server again
 * Rejected libsystemd: a library for one sendto()
 * Thread  beat: any; the rest: the one that called open */
#ifndef OPS_SUPERVISOR_H
#define OPS_SUPERVISOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define SUPERVISOR_STUCK_MS 10000
enum { SUPERVISOR_THREADS_MAX = 8 };

struct supervisor {
    int fd;                         /* -1: nobody wants to know */
    int64_t watchdog_ms, said_ms;   /* 0: no watchdog; how often to say so, and when it was said */
    unsigned thread_count;
    _Atomic int64_t beat_ms[SUPERVISOR_THREADS_MAX];
    const char *names[SUPERVISOR_THREADS_MAX];
};

/* Reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID. IO: there is a socket and it cannot be reached. */
MUST_USE struct err supervisor_open(struct supervisor *s);
void supervisor_close(struct supervisor *s);
/* Its number for supervisor_beat. Before the threads begin. */
unsigned supervisor_watch(struct supervisor *s, const char *thread, int64_t now_ms);
void supervisor_beat(struct supervisor *s, unsigned thread, int64_t now_ms);
void supervisor_ready(struct supervisor *s, const char *status);
void supervisor_stopping(struct supervisor *s, const char *status);
/* A few times a second. Returns the name of a thread that is stuck, else NULL. */
const char *supervisor_turn(struct supervisor *s, int64_t now_ms);

#endif
