/* SPDX-License-Identifier: Apache-2.0 */
/* omni_frame.h: inside the OMNI codec: a frame as its comma-separated fields, the position it may hold, and the
 * tables that say what each field means. Nobody outside src/proto/omni*.c includes this.
 *
 * Owner   every struct bytes here borrows from the frame
 * Pure */
#ifndef PROTO_OMNI_FRAME_H
#define PROTO_OMNI_FRAME_H

#include "proto/omni.h"

#define OMNI_FIELDS_MAX 64 /* a 1 KiB list of 16-digit card ids has 58 */
#define OMNI_FIX_PARAMS 13

struct omni_frame {
    uint8_t dialect;
    bool down; /* header ...S: from a server */
    bool has_clock;
    struct bytes header, vendor, ident, clock, command;
    unsigned first_param, field_count;
    struct bytes fields[OMNI_FIELDS_MAX]; /* trimmed */
};

/* Checks everything that holds for any command: bytes, header, vendor, IMEI, the command's shape. */
MUST_USE struct err omni_frame_split(struct bytes in, struct omni_frame *out);
unsigned omni_param_count(const struct omni_frame *f);
struct bytes omni_param(const struct omni_frame *f, unsigned at); /* empty where there is none */

/* D0 and D1 with thirteen parameters. */
struct omni_fix {
    struct bytes flags, mode;
    bool valid;              /* false: nothing below but the time is filled */
    bool has_time, has_date; /* time of day in `ms`; with a date, since 1970 */
    bool has_sats, has_hdop, has_alt;
    uint8_t sats;
    int32_t lat_e7, lon_e7, hdop_milli, alt_mm;
    int64_t ms;
};

MUST_USE struct err omni_fix_read(const struct omni_frame *f, struct omni_fix *out);

/* How a parameter is read. */
enum omni_form {
    OMNI_NUMBER, /* digits */
    OMNI_FLAG,   /* 0 or 1 */
    OMNI_CODE,   /* digits that mean something else in our words, through `codes` */
    OMNI_SPEED,  /* km/h up to 60, tenths above: makers print both for one vehicle */
    OMNI_USER,   /* digits or a word */
    OMNI_TEXT,   /* anything; shown, never interpreted */
};

struct omni_code { uint8_t wire, ours; };
struct omni_codes { const struct omni_code *rows; uint8_t count, other; };

/* One parameter of a message. */
struct omni_field {
    const char *name;              /* in the JSON of `paddock decode`; NULL: place known, meaning not */
    uint8_t form, decimals, width; /* the JSON shows wire x scale / 10^decimals */
    bool needed;                   /* may not be empty */
    uint16_t scale, offset;        /* wire x scale lands in struct message at offset, if width is not 0 */
    uint32_t min, max, has;        /* of the wire's number; HAS_* that it sets */
    const char *not_number, *range;
    const struct omni_codes *codes;
};

/* One message of a vehicle. */
struct omni_shape {
    char command[3];
    uint8_t dialects, acked;         /* masks of OMNI_BIT */
    uint8_t kind, op;                /* MESSAGE_*, ORDER_* */
    uint8_t at_least;                /* parameters; with fewer it is another row's message */
    uint8_t required, most;          /* parameters; with fewer or more (0: no matter) it is refused */
    bool fix;                        /* the parameters are a position */
    uint32_t has;
    const struct omni_field *fields;
    uint8_t field_count;
};

struct omni_dialect_row {
    char up[5], down[5];
    bool clock;      /* downstream frames carry the server's clock */
    bool ack_by_re;  /* acks are Re,L0 and not L0 */
    uint32_t caps;
};

#define OMNI_BIT(dialect) (1u << (dialect))

extern const struct omni_dialect_row omni_dialects[OMNI_DIALECT_N];
extern const struct omni_shape omni_shapes[];
extern const unsigned omni_shape_count;

/* The row for a command, or NULL: understood as a frame only. */
const struct omni_shape *omni_shape_find(struct bytes command, uint8_t dialect, unsigned param_count);
/* The number in a parameter that is not empty, checked against the field's range. Not for USER and TEXT. */
MUST_USE struct err omni_field_read(const struct omni_field *field, struct bytes param, uint32_t *wire);
/* What the wire's number is in struct message, and back. */
uint32_t omni_field_ours(const struct omni_field *field, uint32_t wire);
uint32_t omni_field_wire(const struct omni_field *field, uint32_t ours);
void omni_member_set(struct message *m, const struct omni_field *field, uint32_t value);
uint32_t omni_member_get(const struct message *m, const struct omni_field *field);

/* decode for a frame that is already split. */
MUST_USE struct err omni_decode_frame(const struct omni_frame *f, struct message *out);
/* yyMMddHHmmss, or twelve zeros for 0: a clock that is not set. */
void omni_put_clock(struct buf *b, int64_t ms);

#endif
