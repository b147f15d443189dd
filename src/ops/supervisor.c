/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor.c: see supervisor.h. */
#include "ops/supervisor.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/must.h"

static void say(struct supervisor *s, const char *text)
{
    if (s->fd < 0) return;
    ssize_t n = send(s->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)n; /* who does not listen is not told twice: the next word comes soon */
}

/* Half of what the supervisor waits, as its manual advises; 0 when the watchdog is not meant for us. */
static int64_t watchdog_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    uint64_t us, id;
    if (!usec || bytes_u64(bytes_text(usec), 18, &us).code) return 0;
    if (pid && (bytes_u64(bytes_text(pid), 10, &id).code || id != (uint64_t)getpid())) return 0;
    return (int64_t)(us / 2000);
}

struct err supervisor_open(struct supervisor *s)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    s->fd = -1;
    if (!path || !*path) return NO_ERR;
    size_t len = strlen(path);
    bool name = path[0] == '/' || path[0] == '@';
    if (!name || len >= sizeof at.sun_path) return ERR(INVALID, "NOTIFY_SOCKET is no socket's name");
    memcpy(at.sun_path, path, len);
    if (path[0] == '@') at.sun_path[0] = 0; /* the abstract namespace */
    s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len))) {
        supervisor_close(s);
        return ERR(IO, "NOTIFY_SOCKET cannot be reached");
    }
    s->watchdog_ms = watchdog_ms();
    return NO_ERR;
}

void supervisor_close(struct supervisor *s)
{
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
}

unsigned supervisor_watch(struct supervisor *s, const char *thread, int64_t now_ms)
{
    must(s->thread_count < SUPERVISOR_THREADS_MAX);
    s->names[s->thread_count] = thread;
    atomic_store(&s->beat_ms[s->thread_count], now_ms);
    return s->thread_count++;
}

void supervisor_beat(struct supervisor *s, unsigned thread, int64_t now_ms)
{
    atomic_store_explicit(&s->beat_ms[thread], now_ms, memory_order_relaxed);
}

static void say_state(struct supervisor *s, const char *state, const char *status)
{
    char text[256];
    snprintf(text, sizeof text, "%s\nSTATUS=%.200s", state, status);
    say(s, text);
}

void supervisor_ready(struct supervisor *s, const char *status) { say_state(s, "READY=1", status); }
void supervisor_stopping(struct supervisor *s, const char *status) { say_state(s, "STOPPING=1", status); }

const char *supervisor_turn(struct supervisor *s, int64_t now_ms)
{
    for (unsigned i = 0; i < s->thread_count; i++) {
        if (now_ms - atomic_load_explicit(&s->beat_ms[i], memory_order_relaxed) > SUPERVISOR_STUCK_MS) return s->names[i];
    }
    if (!s->watchdog_ms || (s->said_ms && now_ms - s->said_ms < s->watchdog_ms)) return NULL;
    s->said_ms = now_ms;
    say(s, "WATCHDOG=1");
    return NULL;
}
