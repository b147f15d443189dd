/* SPDX-License-Identifier: Apache-2.0 */
/* codec.h: what every vehicle protocol is: bytes in, a message out; an order in, bytes out.
 *
 * Pure    no clock, no I/O, no allocation, no floating point
 * Units   *_e7 degrees times ten million, *_ms since 1970 UTC, *_mV, *_dm_h tenths of km/h... see the members
 * Thread  any; codecs have no state */
#ifndef PROTO_CODEC_H
#define PROTO_CODEC_H

#include "base/buf.h"
#include "base/text.h"

/* Numbers of protocols and dialects are in journals and tables: append only, never reuse. */
enum protocol { PROTOCOL_NONE = 0, PROTOCOL_OMNI = 1, PROTOCOL_N };

enum sniff { SNIFF_NO, SNIFF_MORE, SNIFF_YES };

/* What a device of a dialect can do; told to the engine when a session opens. */
enum {
    CAP_LOCK = 1,        /* locks on command */
    CAP_KEY_STEP = 2,    /* an unlock or lock needs a key that the device gives first */
    CAP_ASK_STATUS = 4,  /* answers a status question with lock state (and speed) */
    CAP_RESTART = 8,     /* restarts on command */
    CAP_SPEED = 16,      /* its status answer carries the speed */
};

/* The kinds of thing a device says. */
enum message_kind {
    MESSAGE_REPORT = 1,      /* state: sign-in, heartbeat, position, status, alarm, fault */
    MESSAGE_KEY = 2,         /* the key for a lock or unlock step (op, key, user, stamp) */
    MESSAGE_LOCK_RESULT = 3, /* a lock or unlock was done, failed, or happened locally (op, result, user, stamp) */
    MESSAGE_ECHO = 4,        /* a command was taken: echo of a setting or sound (op) */
    MESSAGE_OPAQUE = 5,      /* understood as a frame, of no meaning to the fleet */
};

/* Which members of a report are present. */
enum {
    HAS_LOCKED = 1 << 0, HAS_IOT_MV = 1 << 1, HAS_BATTERY = 1 << 2, HAS_RSSI = 1 << 3, HAS_CHARGING = 1 << 4,
    HAS_POSITION = 1 << 5, HAS_FIX_TIME = 1 << 6, HAS_SPEED = 1 << 7, HAS_TRIP = 1 << 8, HAS_TOTAL = 1 << 9,
    HAS_ALARM = 1 << 10, HAS_FAULT = 1 << 11, HAS_NO_FIX = 1 << 12, HAS_SIGN_IN = 1 << 13, HAS_FIX_SECOND = 1 << 14,
};

/* Alarms, in our words; a codec maps its maker's numbers. */
enum alarm {
    ALARM_NONE = 0, ALARM_MOVED_LOCKED = 1, ALARM_FELL = 2, ALARM_DISMANTLED = 3, ALARM_BATTERY_LOW = 4,
    ALARM_FALL_CLEARED = 5, ALARM_DISMANTLE_CLEARED = 6, ALARM_OTHER = 7, ALARM_N
};

/* Orders to a device. One order may take two frames (key, then act): `step` says which. */
enum order_op {
    ORDER_NONE = 0, ORDER_UNLOCK = 1, ORDER_LOCK = 2, ORDER_LOCATE = 3, ORDER_STATUS = 4, ORDER_RING = 5,
    ORDER_RESTART = 6, ORDER_TRACK = 7, ORDER_N
};

struct message {
    uint8_t kind;          /* enum message_kind */
    uint8_t dialect;       /* the codec's own number, e.g. OMNI_SCOR */
    struct text4 vendor;
    struct text64 ident;   /* the device's id on the wire */
    struct bytes command;  /* its name on the wire, borrowed from the frame: "H0" */
    bool must_ack;         /* the note says that the device repeats it until acknowledged */

    uint32_t has;          /* HAS_* */
    bool locked, charging;
    uint8_t battery_pct, rssi, sats, alarm;
    uint16_t iot_mv, hdop_centi, speed_dmh; /* speed in 0.1 km/h */
    int32_t lat_e7, lon_e7;
    int32_t alt_dm;
    int64_t fix_ms;        /* HAS_FIX_TIME; with HAS_FIX_SECOND instead only ms since midnight: the receiver
                              chooses the day that puts the fix nearest to now */
    uint32_t trip_m, total_m, fault;

    uint8_t op;            /* ORDER_* of KEY, LOCK_RESULT, ECHO */
    uint8_t result;        /* LOCK_RESULT: 0 done, else the maker's code */
    uint32_t key;
    uint32_t user;         /* 0 where the wire says 0 or a word; see user_word */
    bool user_word;        /* the user was not a number: belongs to no order of ours */
    uint32_t stamp;        /* unix seconds that name the order; 0 for local operations */
    uint32_t ride_min;
};

struct order {
    uint8_t op;      /* enum order_op */
    uint8_t step;    /* 0 ask for the key (or act at once, without CAP_KEY_STEP), 1 act with `key` */
    uint8_t dialect;
    struct text4 vendor;
    struct text64 ident;
    uint32_t key, user, stamp;
    uint32_t value;  /* TRACK: seconds between positions, 0 = no more */
    int64_t now_ms;  /* server time, for dialects that carry a clock */
};

struct cut {
    size_t skip;  /* bytes before the frame to throw away (line ends, noise) */
    size_t len;   /* of the first whole frame after them; 0 = wait for more */
    bool noise;   /* the skipped bytes were not permitted filling: counted, not fatal */
};

struct codec {
    const char *name;
    uint8_t protocol;                        /* enum protocol */
    size_t frame_max;                        /* bytes; longer is dropped to the next frame start */
    enum sniff (*sniff)(struct bytes head);  /* is this stream ours? */
    struct cut (*cut)(struct bytes in);
    struct err (*decode)(struct bytes frame, struct message *out);
    /* The acknowledgement of `msg` (must_ack), or the bytes of an order. UNSUPPORTED when the dialect lacks it. */
    struct err (*encode_ack)(const struct message *msg, int64_t now_ms, struct buf *out);
    struct err (*encode)(const struct order *order, struct buf *out);
    uint32_t (*caps)(uint8_t dialect);
    /* One frame (either direction) as a JSON object for `paddock decode`; errors as {"error","reason"}. */
    void (*describe)(struct bytes chunk, struct buf *json);
    /* Overwrites secrets (Bluetooth keys) in a copy of a frame before it may be shown or logged. */
    void (*mask)(uint8_t *frame, size_t len);
};

/* The registry. codec_sniff answers the codec, or NULL with *more = true while undecided. */
const struct codec *codec_by_protocol(uint8_t protocol);
const struct codec *codec_by_name(struct bytes name);
const struct codec *codec_sniff(struct bytes head, bool *more);

#endif
