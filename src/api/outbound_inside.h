/* SPDX-License-Identifier: Apache-2.0 */
/* outbound_inside.h: what the files of outbound.h share. Nobody else includes this. */
#ifndef API_OUTBOUND_INSIDE_H
#define API_OUTBOUND_INSIDE_H

#include "api/outbound.h"

#define INQUIRIES_MAX 1024u
#define INQUIRY_RETRY_MS 100           /* after the first failure, then twice as long each time */
#define ERRAND_TRIES_MAX 3
#define ERRAND_RETRY_MS 500
#define ERRAND_BODY_MAX 768u
#define PUSH_BATCH_MAX 100u            /* events of one delivery */
#define PUSH_CALL_MS 10000
#define PUSH_REST_MS 1000              /* after the first failure, then twice as long each time, */
#define PUSH_REST_MAX_MS 600000        /* up to this; a quarter more or less by chance */
#define PUSH_OPEN_AFTER 3              /* failures in a row: the receiver counts as down */
#define PUSH_BEHIND_MS 100             /* the tables do not have the newest events yet */
#define PUSH_TELL_EVERY 100000         /* facts passed over without an event for it: the cursor is told all the same */

enum ticket_kind { TICKET_INQUIRY = 1, TICKET_PUSH = 2, TICKET_MESSAGE = 3 };
/* kind, place in its table, and a serial number that makes late answers stale. */
static inline uint64_t ticket_of(enum ticket_kind kind, uint32_t slot, uint32_t serial)
{
    return (uint64_t)kind << 56 | (uint64_t)slot << 32 | serial;
}
static inline enum ticket_kind ticket_kind_of(uint64_t ticket) { return (enum ticket_kind)(ticket >> 56); }
static inline uint32_t ticket_slot(uint64_t ticket) { return (uint32_t)(ticket >> 32 & 0xffffff); }
static inline uint32_t ticket_serial(uint64_t ticket) { return (uint32_t)ticket; }

enum inquiry_stage { INQUIRY_FREE, INQUIRY_DUE, INQUIRY_CALLING, INQUIRY_TELLING };

struct inquiry {
    uint8_t stage, failures;
    uint32_t serial;
    int64_t due_ms;                    /* of the loop; DUE */
    struct effect_ask ask;
    struct fact_ask_answered answer;   /* TELLING */
};

enum push_stage { PUSH_FREE, PUSH_ASKING, PUSH_IDLE, PUSH_READING, PUSH_CALLING, PUSH_RESTING };

/* One webhook. Its cursor: row.after is what the engine holds, `at` what was delivered or looked at since. */
struct push {
    uint8_t stage;
    bool look;                         /* there may be more than was read */
    bool stale;                        /* what is under way belongs to an older cursor */
    bool tell;                         /* `at` is news for the engine */
    uint32_t serial, failures;
    struct text32 code;
    struct webhook row;
    uint64_t at_seq, as_of_seq;
    uint32_t at_part;
    struct feed_place place;           /* behind the batch in hand */
    uint8_t *body;
    size_t body_len;
    unsigned rows;
    int64_t due_ms;                    /* of the loop */
    int64_t delivered_ms;              /* wall clock; 0 = never */
    uint64_t delivered;
    int status;                        /* of the last answer; 0 = none came */
    const char *why;                   /* of the last failure; NULL = none */
};

/* A message on its way. */
struct errand {
    struct messages *messages;         /* NULL: free */
    uint64_t ticket;                   /* of message.h */
    uint32_t serial;
    uint8_t tries;
    uint16_t body_len;
    char id[32], body[ERRAND_BODY_MAX];
    int64_t due_ms, deadline_ms;       /* of the loop */
};

struct outbound_counters {
    uint64_t asked, answered, ask_failures, asks_full, asks_expired;
    uint64_t deliveries, delivered_events, delivery_failures, replays;
};

struct outbound {
    struct outbound_options options;
    struct endpoints endpoints;
    struct prng chance;
    struct outbound_counters counters;
    struct inquiry *inquiries;
    struct errand *errands;            /* MESSAGES_MAX */
    uint32_t errand_count;             /* under way */
    uint32_t inquiry_top, inquiry_count;
    struct push pushes[ENDPOINTS_MAX];
    uint64_t newest_seq;               /* of any event seen */
    bool put;                          /* a fact was put in this turn */
    int64_t now_ms;
};

/* False: the ring is full, try again. */
bool outbound_put(struct outbound *o, const struct inbound *in);
int64_t outbound_wall_ms(const struct outbound *o);

/* ---- inquiry.c ---- */
void inquiry_begin(struct outbound *o, const struct effect_ask *ask);
void inquiry_answered(struct outbound *o, const struct client_answer *answer);
int64_t inquiries_turn(struct outbound *o);

/* ---- errand.c ---- */
void errand_answered(struct outbound *o, const struct client_answer *answer);
int64_t errands_turn(struct outbound *o);

/* ---- push.c ---- */
void push_begin(struct outbound *o, struct bytes code);
void push_row(struct outbound *o, uint32_t slot, const struct webhook *row); /* NULL: the engine knows of none */
void push_read(struct outbound *o, struct desk_result *r);
void push_answered(struct outbound *o, const struct client_answer *answer);
int64_t pushes_turn(struct outbound *o);
struct push *push_find(struct outbound *o, struct bytes code);
void push_end(struct push *p);

#endif
