/* SPDX-License-Identifier: Apache-2.0 */
/* traffic.h: what crosses the rings between the shell's threads and the engine's.
 *
 *     gateway ──telemetry──►┐                        ┌──► gateway   struct to_gateway: acks, orders, hang-ups
 *     gateway ──urgent─────►├─ engine ► journal ► ───┤
 *     api ──────urgent─────►┘   struct inbound       └──► api       struct to_api: replies, answers, events, asks
 *
 * Inbound rings push back when full: telemetry stops being read from its socket, requests get 503. Out rings are
 * always drained by their owner, every turn, so the journal thread may wait for room in them.
 * Owner   items are copied in and out whole
 * Thread  plain data; each ring has one putter and one taker */
#ifndef ENGINE_TRAFFIC_H
#define ENGINE_TRAFFIC_H

#include "base/ring.h"
#include "engine/effect.h"

enum origin_kind { ORIGIN_NONE = 0, ORIGIN_DEVICE = 1, ORIGIN_REQUEST = 2 };

/* Who waits for a fact to be durable. */
struct origin {
    uint8_t kind;    /* enum origin_kind */
    uint8_t port;    /* which gateway or api port */
    uint32_t tag;    /* DEVICE: the command letters to acknowledge, packed by the gateway; 0 = no ack wanted */
    uint64_t handle; /* DEVICE: the connection; REQUEST: the request's handle */
    int64_t born_us; /* monotonic: when its bytes were read */
};

enum query_kind { QUERY_RIDE_OF_RIDER = 1, QUERY_RIDE = 2, QUERY_VEHICLE = 3, QUERY_COMMAND = 4, QUERY_NOTHING = 5,
                  QUERY_WEBHOOK = 6, QUERY_HOOK = 7, QUERY_RIDER = 8,
                  QUERY_MARK = 9, QUERY_ORDER = 10 /* of a vehicle, and would the engine do that to it? the reply's code */ };

/* A read that the engine thread answers from memory; released like a reply, once what it saw is durable. */
struct query {
    uint8_t kind;
    struct uuid uuid;    /* rider, ride or command */
    struct text16 code;  /* vehicle */
    struct text32 name;  /* webhook */
    uint8_t ask;         /* hook: enum ask_kind */
    uint8_t event, to;   /* MARK: enum vehicle_event, enum vehicle_state as in the fact */
    uint8_t op;          /* ORDER: enum command_op */
};

struct inbound {
    struct origin origin;
    bool is_query;
    union {
        struct fact fact; /* now_ms is stamped by the engine thread */
        struct query query;
    };
};

enum to_gateway_kind { TO_GATEWAY_ACK = 1, TO_GATEWAY_ORDER = 2, TO_GATEWAY_HANG_UP = 3 };

struct to_gateway {
    uint8_t kind;
    uint32_t tag;                              /* ACK: as in the origin */
    uint64_t session;                          /* handle of the connection */
    uint64_t seq;                              /* the fact behind it */
    struct effect_order order;                 /* ORDER */
    int64_t born_us, stepped_us, synced_us;    /* where the time went, monotonic */
};

enum to_api_kind { TO_API_REPLY = 1, TO_API_ANSWER = 2, TO_API_EVENT = 3, TO_API_ASK = 4 };

struct to_api {
    uint8_t kind;
    uint64_t handle;            /* REPLY, ANSWER: the request */
    uint64_t seq;               /* last fact that the answer saw */
    int64_t now_ms;             /* server time then */
    int64_t born_us, stepped_us, synced_us;
    union {
        struct {
            struct effect_reply reply;  /* ANSWER: code NOT_FOUND when memory does not hold it */
            union { /* by reply.subject_kind */
                struct ride ride;
                struct command command;
                struct vehicle vehicle;
                struct rider rider;
                struct webhook webhook;
                struct hook hook;
            };
            struct device device;       /* with a vehicle; id 0 = none */
            uint64_t city_id;           /* of the subject; 0 = of none */
            struct text32 city;         /* its code */
        };
        struct {
            struct event event;
            struct ride event_ride;     /* a ride's state that a vehicle's message changed: the row behind it; id 0 = none */
        };
        struct effect_ask ask;
    };
};

/* What a device's frames are kept under (net/tape.h). */
#define DEVICE_NAME_MAX 65u
static inline struct bytes device_name(uint8_t protocol, const struct text64 *ident, uint8_t room[DEVICE_NAME_MAX])
{
    room[0] = protocol;
    for (unsigned i = 0; i < ident->len; i++) room[1 + i] = (uint8_t)ident->at[i];
    return bytes_of(room, 1u + ident->len);
}

#endif
