/* SPDX-License-Identifier: Apache-2.0 */
/* phone.h: what simulated riders and staff have in common: one HTTP request at a time under a token and a
 * key, and finding a member in the answer's JSON.
 *
 * A rider who double-taps has two of these. Everything is bounded by the client below; retries are the
 * owner's.
 * Owner   open/close, inside the actor
 * Thread  the loop's */
#ifndef SIM_PHONE_H
#define SIM_PHONE_H

#include "net/http_client.h"
#include "sim/crowd.h"

enum { PHONE_TARGET_MAX = 128, PHONE_BODY_MAX = 512 };

struct phone {
    struct crowd *crowd;
    struct http_client *client;
    struct text64 name;
    char authorization[160];
    uint32_t authorization_len, ask;  /* ask: the owner's word for what is in flight */
    uint64_t key, sent;               /* of what is in flight; requests so far */
    void *owner;
    /* status 0: none came */
    void (*on_reply)(void *owner, struct phone *phone, int status, struct bytes body);
    void (*on_event)(void *owner, struct bytes event, struct bytes data);
};

/* on_event may be NULL. */
MUST_USE struct err phone_open(struct phone *p, struct crowd *crowd, struct bytes name, struct bytes token,
                               struct bytes address, uint32_t reply_ms);
void phone_close(struct phone *p);

/* False: it could not be sent at all, and on_reply is not called. `key` 0: without one. `body` NULL: none. */
bool phone_send(struct phone *p, uint32_t ask, const char *method, const char *target, const char *body,
                uint64_t key);
/* Live events; ends with on_reply. */
bool phone_listen(struct phone *p, uint32_t ask, const char *target);
bool phone_is_busy(const struct phone *p);
/* In a tunnel: no reply, no callback; the next request connects anew. */
void phone_hang_up(struct phone *p);

/* The value of the first member of that name, at any depth: text without its quotes (escapes stay), an
 * object or list with its brackets, or the bare word. Empty when there is none or it is null. */
struct bytes phone_find(struct bytes json, const char *name);
bool phone_find_number(struct bytes json, const char *name, int64_t *out);
/* Copies as much as fits, with a NUL. */
void phone_copy(char *to, size_t room, struct bytes from);

#endif
