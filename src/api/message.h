/* SPDX-License-Identifier: Apache-2.0 */
/* message.h: short messages to people: asks that leave the house, with a deadline and an outcome that is counted.
 *
 *     message_send ─► under way ─┬─► way->send ─► message_done: sent, refused or failed
 *                                └─► deadline: timed out, way->drop
 *
 * Way     how messages leave is one struct of functions: message_print.c in a demo, an HTTP hook otherwise. Without one
 *         every message is refused: UNSUPPORTED
 * Waits   nobody: no answer to anybody may depend on what became of a message, or it would tell which numbers exist
 * Private number and parameters are in memory while under way and nowhere else; no way writes them down, but the
 *         demo's, whose people do not exist
 * Limits  MESSAGES_MAX under way, else FULL; MESSAGE_DEADLINE_MS each
 * Thread  the loop's: message_send, message_done and messages_turn */
#ifndef API_MESSAGE_H
#define API_MESSAGE_H

#include "base/field.h"

enum { MESSAGES_MAX = 256, MESSAGE_PARAMS_MAX = 4, MESSAGE_DEADLINE_MS = 10000 };

/* What it says is a table of the operator's, by template and language; here are only the parameters.
 * (no, NAME, name, parameters) */
#define MESSAGE_TEMPLATE_LIST(X)                                                    \
    X(1, SIGN_IN_CODE, sign_in_code, "code: six digits; minutes: how long it is good")

enum message_template {
#define X(no, NAME, name, doc) MESSAGE_##NAME = no,
    MESSAGE_TEMPLATE_LIST(X)
#undef X
    MESSAGE_TEMPLATE_N
};
extern const struct enum_names message_template_names;

struct message_ask {
    struct text32 to;             /* E.164: "+46701234567" */
    uint8_t template;             /* enum message_template */
    struct text16 language;       /* BCP 47; empty: the operator's own */
    struct { const char *name; struct text32 value; } params[MESSAGE_PARAMS_MAX];
    unsigned param_count;
    int64_t deadline_ms;          /* of the loop's clock; message_send fills it in: of no use to anybody after it */
};

/* SENT: taken over by whoever delivers. REFUSED: it will not be sent. FAILED: nobody knows. */
enum message_outcome { MESSAGE_SENT = 1, MESSAGE_REFUSED, MESSAGE_FAILED, MESSAGE_OUTCOME_N };

struct messages;

/* How messages leave. `send` borrows the message for the call; NO_ERR: it calls message_done with that ticket once,
 * inside or later. An error: never, and message_send returns it. */
struct message_way {
    const char *name;             /* NULL: there is no way */
    void *ctx;
    struct err (*send)(void *ctx, struct messages *messages, uint64_t ticket, const struct message_ask *message);
    void (*drop)(void *ctx, uint64_t ticket); /* time is up; NULL: needs not know */
};

struct message_counters { uint64_t asked, outcomes[MESSAGE_OUTCOME_N], timed_out, full, no_way, late; uint32_t under_way; };

MUST_USE struct err messages_create(const struct message_way *way, struct messages **out);
void messages_destroy(struct messages *ms); /* NULL is fine; what is under way is dropped */
bool messages_have_way(const struct messages *ms);
/* Another way from now on: a hook was declared or taken back. What is under way ends with the old one's drop. */
void messages_set_way(struct messages *ms, const struct message_way *way);
/* UNSUPPORTED: there is no way; FULL: too many under way; or what the way says. */
MUST_USE struct err message_send(struct messages *ms, const struct message_ask *message, int64_t now_ms);
/* Stale tickets are harmless, and counted. */
void message_done(struct messages *ms, uint64_t ticket, enum message_outcome outcome);
/* Ends what is past its deadline; returns when to be called again. */
int64_t messages_turn(struct messages *ms, int64_t now_ms);
const struct message_counters *messages_counters(const struct messages *ms);

#endif
