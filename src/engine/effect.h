/* SPDX-License-Identifier: Apache-2.0 */
/* effect.h: what the engine wants done in the world, released only after the fact that caused it is durable.
 *
 * Orders and hang-ups go to the gateway, replies to whoever asked, events to everybody who listens and to the
 * table of events. A record in the journal carries the checksum of its effects.
 * Owner   effects live in the batch that they were made for
 * Pure */
#ifndef ENGINE_EFFECT_H
#define ENGINE_EFFECT_H

#include "engine/fact.h"
#include "engine/rows.h"

/* A published consequence. `seq`.`part` is its number; timelines, live streams and exports are made of these. */
#define EVENT_FIELDS(F)                                                                                  \
    F( 1, seq,         U64,  NONE, RIDER,   "fact that caused it")                                       \
    F( 2, part,        U32,  NONE, RIDER,   "place among that fact's events")                            \
    F( 3, at_ms,       TIME, NONE, RIDER,   "when")                                                      \
    F( 4, kind,        ENUM, event_kind, RIDER, "what happened")                                         \
    F( 5, vehicle_id,  U64,  NONE, PRIVATE, "vehicle")                                                   \
    F( 6, vehicle,     UUID, NONE, STAFF,   "vehicle, by its name outside")                              \
    F( 7, ride_id,     U64,  NONE, PRIVATE, "ride")                                                      \
    F( 8, ride,        UUID, NONE, RIDER,   "ride, by its name outside")                                 \
    F( 9, rider,       UUID, NONE, STAFF,   "account that it concerns")                                  \
    F(10, command_id,  U64,  NONE, PRIVATE, "command")                                                   \
    F(11, command,     UUID, NONE, STAFF,   "command, by its name outside")                              \
    F(12, actor,       UUID, NONE, STAFF,   "account that caused it; zero = vehicle or time")            \
    F(13, vehicle_state, ENUM, vehicle_state, STAFF, "MDS state after it")                               \
    F(14, vehicle_event, ENUM, vehicle_event, STAFF, "MDS event")                                        \
    F(15, ride_state,  ENUM, ride_state, RIDER, "ride state after it")                                   \
    F(16, ride_reason, ENUM, ride_reason, RIDER, "why")                                                  \
    F(17, command_op,  ENUM, command_op, STAFF, "what was ordered")                                      \
    F(18, command_state, ENUM, command_state, STAFF, "command state after it")                           \
    F(19, command_result, ENUM, command_result, STAFF, "how that is known")                              \
    F(20, number,      I64,  NONE, RIDER,   "charge_minor, alarm, fault, result code: by kind")          \
    F(21, code,        TEXT64, NONE, RIDER, "vehicle code, device id, error code: by kind")              \
    F(22, city_id,     U64,  NONE, PRIVATE, "city that it concerns; 0 = none")                           \
    F(23, ask,         ENUM, ask_kind, STAFF, "what was asked of a hook")                                \
    F(24, verdict,     ENUM, verdict, STAFF, "what the hook, or its default, says")

FIELD_STRUCT(event, EVENT_FIELDS)
extern const struct shape event_shape;

enum effect_kind { EFFECT_ORDER = 1, EFFECT_HANG_UP = 2, EFFECT_REPLY = 3, EFFECT_EVENT = 4, EFFECT_ASK = 5, EFFECT_N };

/* Send this to the device on `session`; dropped when that connection is gone (the deadline makes it unknown). */
struct effect_order {
    uint64_t session, command_id; /* command_id 0: a question about the state, nobody waits for it by name */
    uint8_t op;                   /* enum order_op of proto/codec.h */
    uint8_t step;
    uint32_t key, user, stamp, value;
    int64_t created_ms, deadline_ms; /* never delivered after it */
};

/* Close this connection: another took its place, or the device may not speak here. */
struct effect_hang_up { uint64_t session; };

/* Answer to the fact's sender; exactly one for each fact of the kinds 10 to 49. */
struct effect_reply {
    uint8_t code;         /* enum err_code */
    bool again;           /* the same answer was given before to the same Idempotency-Key */
    uint8_t subject_kind; /* enum row_kind of `subject`, ROW_PARTITION = none */
    uint64_t subject_id;
    struct uuid subject;
};

/* Ask the hook of this kind; the answer returns as FACT_ASK_ANSWERED. May come again with the same id. */
struct effect_ask {
    uint8_t ask;                     /* enum ask_kind */
    struct uuid id, ride, rider, vehicle;
    struct text16 vehicle_code;
    struct text32 city, vehicle_type; /* codes */
    int32_t lat_e7, lon_e7;          /* of the vehicle; 0, 0 = not known */
    int64_t asked_ms, deadline_ms;
};

struct effect {
    uint8_t kind; /* enum effect_kind */
    union {
        struct effect_order order;
        struct effect_hang_up hang_up;
        struct effect_reply reply;
        struct event event;
        struct effect_ask ask;
    };
};

/* Effects of a whole batch, in order. `sum` is the checksum of the present fact's. */
struct effects {
    struct effect *at;
    uint32_t count, cap;
    uint64_t sum;
    uint32_t parts; /* events of the present fact */
};

/* The engine may add this many for one fact: the caller keeps so much room. */
#define EFFECTS_PER_FACT_MAX 512

void effects_begin_fact(struct effects *effects);
/* A zeroed place for one effect of `kind`; finish with effects_added, which adds it to the sum. */
struct effect *effects_add(struct effects *effects, enum effect_kind kind);
void effects_added(struct effects *effects, const struct effect *effect);

#endif
