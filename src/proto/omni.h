/* SPDX-License-Identifier: Apache-2.0 */
/* omni.h: the OMNI text protocol in its four dialects, as a struct codec.
 *
 * One grammar for scooters, e-bikes, horseshoe locks, ground locks and the Segway-Ninebot box:
 *
 *     up    *SCOR,OM,490154203237518[,yyMMddHHmmss],H0,1,398,24,80,0#  LF
 *     down  FF FF *SCOS,OM,490154203237518[,yyMMddHHmmss],R0,0,20,7,1795474800#  LF
 *
 * No length, no checksum, no secret: whatever arrives here is hostile. A frame that breaks the grammar is refused
 * with a literal reason in snake_case ("voltage_range"); frames after it are still read.
 *
 * Files   omni.c cut, sniff, decode, mask      omni_frame.c a frame's fields and the position
 *         omni_table.c every message as data   omni_encode.c acks and orders, downstream
 *         omni_describe.c JSON for people      omni_device.c the vehicle's side, for simulators
 * Pure    no clock, no I/O, no allocation, no floating point
 * Thread  any */
#ifndef PROTO_OMNI_H
#define PROTO_OMNI_H

#include "proto/codec.h"

/* In journals and tables: append only, never reuse. */
enum omni_dialect {
    OMNI_SCOR = 1, /* scooters and e-bikes */
    OMNI_HBCR = 2, /* Segway-Ninebot, some e-bikes */
    OMNI_CMDR = 3, /* horseshoe locks: opened by command, closed by hand */
    OMNI_BGCR = 4, /* ground and parking locks */
    OMNI_DIALECT_N
};

#define OMNI_FRAME_MAX 1024 /* bytes from `*` to `#`, both counted */
#define OMNI_ORDER_MAX 128  /* bytes; nothing that omni_codec encodes is longer */
#define OMNI_SNIFF_MAX 64   /* filling bytes that a stream may start with */
#define OMNI_USER_MAX 32    /* bytes of a user that is a word */
#define OMNI_KEY_VALID_S 20 /* how long a key asked for with R0 may be used */

extern const struct codec omni_codec;

/* A vehicle's message from its frame; the same as omni_codec.decode. `out` is only of use without an error. */
MUST_USE struct err omni_decode(struct bytes frame, struct message *out);
struct cut omni_cut(struct bytes in);
void omni_describe(struct bytes chunk, struct buf *json);
MUST_USE struct err omni_encode_ack(const struct message *msg, int64_t now_ms, struct buf *out);
MUST_USE struct err omni_encode(const struct order *order, struct buf *out);

/* Percent of a horseshoe lock's battery from its voltage. */
uint8_t omni_battery_pct(uint32_t battery_mv);

#endif
