/* SPDX-License-Identifier: Apache-2.0 */
/* omni_device.h: the vehicle's side of the OMNI protocol, for simulators, the demo and the load generator: reads what a
 * server sends, writes what a vehicle says. Nothing that runs against real vehicles uses it.
 *
 * It writes from the rows that decoding reads, so a value that goes in here comes out of omni_decode.
 * Pure. Frames are found in a stream with omni_cut, as on the other side. */
#ifndef PROTO_OMNI_DEVICE_H
#define PROTO_OMNI_DEVICE_H

#include "proto/omni.h"

#define OMNI_VALUES_MAX 8 /* parameters of the longest setting, S4 */
#define OMNI_SAY_MAX 192  /* bytes; nothing that a vehicle says here is longer */

enum omni_ask_kind {
    OMNI_ASK_OTHER,   /* nothing that a simulated vehicle answers */
    OMNI_ASK_ACK,     /* `command` was acknowledged */
    OMNI_ASK_KEY,     /* R0: op, valid_s, user, stamp */
    OMNI_ASK_UNLOCK,  /* L0: user, stamp, and the key in dialects with a key step */
    OMNI_ASK_LOCK,    /* L1: key */
    OMNI_ASK_LOCATE,  /* D0 */
    OMNI_ASK_TRACK,   /* D1: values[0] seconds, 0 stops */
    OMNI_ASK_STATUS,  /* S6, or S5 of a horseshoe lock */
    OMNI_ASK_RING,    /* V0, S8 */
    OMNI_ASK_RESTART, /* S1; with a value: 1 off, 2 restart */
    OMNI_ASK_SETTING, /* S4, S5, S7: echoed with the values in force */
};

/* What a server wants. */
struct omni_ask {
    uint8_t kind, dialect, op; /* op: ORDER_UNLOCK or ORDER_LOCK, of KEY */
    struct text4 vendor;
    struct text64 ident;
    struct bytes command; /* borrowed from the frame */
    uint32_t valid_s, key, user, stamp;
    uint8_t value_count;  /* every parameter as a number, in order, also those above */
    uint32_t values[OMNI_VALUES_MAX];
};

/* What a vehicle says: `command` with the values of `state` (dialect, vendor, ident, what HAS_* announces, user, stamp,
 * result...). A value that is not announced is left empty on the wire. */
struct omni_say {
    const char *command;
    const struct message *state;
    int64_t clock_ms; /* of the vehicle, for CMDR; 0 is a clock that is not set */
    uint8_t origin;   /* of D0: 0 asked for, 1 tracking */
};

/* Reads a downstream frame (from `*` to `#`). */
MUST_USE struct err omni_device_read(struct bytes frame, struct omni_ask *out);
/* UNSUPPORTED when the dialect has no such message, INVALID when `state` lacks what it must hold. A position keeps five
 * decimals of a minute: within 1e-7 degrees. */
MUST_USE struct err omni_device_say(const struct omni_say *say, struct buf *out);
/* Repeats a setting, sound or tracking command with `ask`'s values, as vehicles do. */
MUST_USE struct err omni_device_echo(const struct omni_ask *ask, int64_t clock_ms, struct buf *out);

#endif
