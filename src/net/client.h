/* SPDX-License-Identifier: Apache-2.0 */
/* client.h: HTTP calls to others (webhooks, hooks that answer asks), as one interface: libcurl on a thread of its own in
 * the server, a world that loses and repeats things in the simulator.
 *
 *     owner ──client_submit──► job ring ─► thread: libcurl multi ─► answer ring ──client_next──► owner
 *
 * Safety   http and https only; hosts by allow-list; addresses that are not public are refused when the socket is made,
 *          so that no name can be pointed inside later; no redirect is followed, no proxy of the environment used
 * Deadline counts from client_submit, waiting included
 * Limits   CLIENT_CALLS_MAX submitted and not yet released, else FULL; CLIENT_ACTIVE_MAX on the wire; CLIENT_ANSWER_MAX
 *          bytes of an answer's body; bodies sent are the caller's to bound
 * Owner    what a call points at is copied; an answer is borrowed until client_release
 * Thread   submit, next and release: the owner's; the worker meets it at two rings. Counters are atomic
 * Rejected the server's own loop: TLS, names and connection reuse to the whole Internet are libcurl's business */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include <stdatomic.h>

#include "base/bytes.h"
#include "base/text.h"

#define CLIENT_CALLS_MAX 256u           /* power of two */
#define CLIENT_ACTIVE_MAX 128u
#define CLIENT_ANSWER_MAX 16384u
#define CLIENT_URL_MAX 512u
#define CLIENT_HEADERS_MAX 8u
#define CLIENT_HEADER_LEN_MAX 512u      /* name and value */
#define CLIENT_DEADLINE_MAX_MS 60000u

struct client_header { const char *name; struct bytes value; };

/* One POST of JSON. */
struct client_call {
    uint64_t ticket;                    /* comes back with the answer */
    struct bytes url, body;
    const struct client_header *headers;
    uint32_t header_count;
    uint32_t deadline_ms;
};

struct client_answer {
    uint64_t ticket;
    struct err err;                     /* TIMEOUT, IO, FORBIDDEN (address), TOO_LARGE; OK: a status came, any status */
    int status;
    struct bytes body;
    int64_t took_us;
};

struct client_counters {
    _Atomic uint64_t calls, full, refused, answers_2xx, answers_other, timeouts, failed, too_large, us_sum;
    _Atomic uint64_t active, waiting;   /* now */
};

struct caller;
struct client_calls {
    struct err (*submit)(struct caller *c, const struct client_call *call);
    struct client_answer *(*next)(struct caller *c);
    void (*release)(struct caller *c);
    void (*destroy)(struct caller *c);
};

/* First member of every implementation. */
struct caller {
    const struct client_calls *calls;
    struct client_counters counters;
};

/* FULL; FORBIDDEN or INVALID: this URL may not be called, see client_url.h. */
static inline MUST_USE struct err client_submit(struct caller *c, const struct client_call *call)
{
    return c->calls->submit(c, call);
}
/* Oldest answer, NULL when none. */
static inline struct client_answer *client_next(struct caller *c) { return c->calls->next(c); }
static inline void client_release(struct caller *c) { c->calls->release(c); }
/* Calls under way are given up; NULL is fine. */
static inline void client_destroy(struct caller *c)
{
    if (c) c->calls->destroy(c);
}

struct client_options {
    const char *hosts;                  /* allow-list, see client_url.h; empty: every public one */
    bool private_addresses;             /* loopback and inside networks may be called */
    void (*wake)(void *ctx);            /* from the worker: an answer is there */
    void *wake_ctx;
};
/* libcurl's. `hosts` is borrowed for the life of the client. */
MUST_USE struct err client_curl_create(const struct client_options *options, struct caller **out);

#endif
