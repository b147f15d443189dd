/* SPDX-License-Identifier: Apache-2.0 */
/* omni_device.c: see omni_device.h. */
#include "proto/omni_device.h"

#include <string.h>

#include "base/timetext.h"
#include "proto/omni_frame.h"

#define SCOOTERS (OMNI_BIT(OMNI_SCOR) | OMNI_BIT(OMNI_HBCR))
#define CMDR OMNI_BIT(OMNI_CMDR)
#define BGCR OMNI_BIT(OMNI_BGCR)
#define KEYED (SCOOTERS | BGCR)
#define ALL (KEYED | CMDR)

/* One command of a server. `takes` has a letter for each parameter: o op, v validity, k key, u user, t stamp, n a plain
 * number. The count of parameters tells a command from an acknowledgement of the same name. */
struct ask_row { char command[3]; uint8_t dialects, kind; const char *takes; };
static const struct ask_row ask_rows[] = {
    {"R0", KEYED, OMNI_ASK_KEY, "ovut"},
    {"L0", KEYED, OMNI_ASK_UNLOCK, "kut"},
    {"L0", CMDR, OMNI_ASK_UNLOCK, "nut"},
    {"L1", KEYED, OMNI_ASK_LOCK, "k"},
    {"L0", SCOOTERS, OMNI_ASK_ACK, ""},
    {"L1", SCOOTERS, OMNI_ASK_ACK, ""},
    {"W0", SCOOTERS, OMNI_ASK_ACK, ""},
    {"E0", SCOOTERS, OMNI_ASK_ACK, ""},
    {"D0", ALL, OMNI_ASK_LOCATE, ""},
    {"D1", ALL, OMNI_ASK_TRACK, "n"},
    {"S6", SCOOTERS, OMNI_ASK_STATUS, ""},
    {"S5", CMDR, OMNI_ASK_STATUS, ""},
    {"V0", SCOOTERS, OMNI_ASK_RING, "n"},
    {"S8", CMDR, OMNI_ASK_RING, "nn"},
    {"S1", SCOOTERS, OMNI_ASK_RESTART, "n"},
    {"S1", CMDR, OMNI_ASK_RESTART, ""},
    {"S5", SCOOTERS, OMNI_ASK_SETTING, "nnnn"},
    {"S7", SCOOTERS, OMNI_ASK_SETTING, "nnnn"},
    {"S4", SCOOTERS, OMNI_ASK_SETTING, "nnnnnnnn"},
};

static const struct ask_row *ask_find(const struct omni_frame *f);
static struct err ask_take(const struct omni_frame *f, const char *takes, struct omni_ask *out);
static struct err begin(struct buf *out, uint8_t dialect, const struct text4 *vendor, const struct text64 *ident,
                        int64_t clock_ms, struct bytes command);
static struct err end(struct buf *out);
static struct err put_fields(const struct omni_shape *shape, const struct message *state, struct buf *out);
static void put_fix(const struct omni_say *say, struct buf *out);

struct err omni_device_read(struct bytes frame, struct omni_ask *out)
{
    struct omni_frame f;
    TRY(omni_frame_split(frame, &f));
    if (!f.down) return ERR(MALFORMED, "wrong_direction");
    *out = (struct omni_ask){.kind = OMNI_ASK_OTHER, .dialect = f.dialect, .command = f.command};
    TRY(text_set(&out->vendor, f.vendor));
    TRY(text_set(&out->ident, f.ident));
    if (bytes_equal_text(f.command, "Re")) {
        out->kind = OMNI_ASK_ACK;
        out->command = omni_param(&f, 0);
        return NO_ERR;
    }
    const struct ask_row *row = ask_find(&f);
    if (!row) return NO_ERR;
    out->kind = row->kind;
    return ask_take(&f, row->takes, out);
}

struct err omni_device_say(const struct omni_say *say, struct buf *out)
{
    const struct message *state = say->state;
    struct bytes command = bytes_text(say->command);
    const struct omni_shape *shape = omni_shape_find(command, state->dialect, OMNI_FIELDS_MAX);
    if (!shape) return ERR(UNSUPPORTED, "the dialect has no such message");
    TRY(begin(out, state->dialect, &state->vendor, &state->ident, say->clock_ms, command));
    if (shape->fix) {
        put_fix(say, out);
    } else {
        TRY(put_fields(shape, state, out));
    }
    return end(out);
}

struct err omni_device_echo(const struct omni_ask *ask, int64_t clock_ms, struct buf *out)
{
    TRY(begin(out, ask->dialect, &ask->vendor, &ask->ident, clock_ms, ask->command));
    for (unsigned i = 0; i < ask->value_count; i++) {
        buf_put_char(out, ',');
        buf_put_u64(out, ask->values[i]);
    }
    return end(out);
}

static const struct ask_row *ask_find(const struct omni_frame *f)
{
    for (unsigned i = 0; i < sizeof ask_rows / sizeof ask_rows[0]; i++) {
        const struct ask_row *row = &ask_rows[i];
        if (!bytes_equal_text(f->command, row->command) || !(row->dialects & OMNI_BIT(f->dialect))) continue;
        if (strlen(row->takes) == omni_param_count(f)) return row;
    }
    return NULL;
}

static struct err ask_take(const struct omni_frame *f, const char *takes, struct omni_ask *out)
{
    for (unsigned i = 0; takes[i]; i++) {
        uint64_t v;
        if (bytes_u64(omni_param(f, i), 10, &v).code || v > UINT32_MAX) return ERR(MALFORMED, "parameter_not_number");
        uint32_t value = (uint32_t)v;
        out->values[out->value_count++] = value;
        if (takes[i] == 'o') out->op = value == 0 ? ORDER_UNLOCK : value == 1 ? ORDER_LOCK : ORDER_NONE;
        if (takes[i] == 'v') out->valid_s = value;
        if (takes[i] == 'k') out->key = value;
        if (takes[i] == 'u') out->user = value;
        if (takes[i] == 't') out->stamp = value;
    }
    return NO_ERR;
}

static struct err begin(struct buf *out, uint8_t dialect, const struct text4 *vendor, const struct text64 *ident,
                        int64_t clock_ms, struct bytes command)
{
    if (dialect == 0 || dialect >= OMNI_DIALECT_N) return ERR(UNSUPPORTED, "no such dialect");
    buf_put_char(out, '*');
    buf_put_text(out, omni_dialects[dialect].up);
    buf_put_char(out, ',');
    buf_put_bytes(out, text_bytes(vendor));
    buf_put_char(out, ',');
    buf_put_bytes(out, text_bytes(ident));
    buf_put_char(out, ',');
    if (omni_dialects[dialect].clock) {
        omni_put_clock(out, clock_ms);
        buf_put_char(out, ',');
    }
    buf_put_bytes(out, command);
    return NO_ERR;
}

static struct err end(struct buf *out)
{
    buf_put_text(out, "#\n");
    return out->full ? ERR(TOO_LARGE, "no room for the frame") : NO_ERR;
}

static struct err put_fields(const struct omni_shape *shape, const struct message *state, struct buf *out)
{
    for (unsigned i = 0; i < shape->field_count; i++) {
        const struct omni_field *field = &shape->fields[i];
        bool known = (state->has & field->has) == field->has && field->form != OMNI_TEXT;
        if (field->needed && !known) return ERR(INVALID, "the message needs a value that the state lacks");
        buf_put_char(out, ',');
        if (known) buf_put_u64(out, omni_field_wire(field, omni_member_get(state, field)));
    }
    return NO_ERR;
}

/* ddmm.mmmmm,N with `width` digits of degrees. */
static void put_angle(struct buf *out, int32_t e7, unsigned width, const char *letters)
{
    uint64_t size = e7 < 0 ? -(uint64_t)e7 : (uint64_t)e7;
    /* In 1e-5 minutes: a degree has 6,000,000 of them, so rounding up to a whole degree carries by itself. */
    uint64_t all = (size * 60 + 50) / 100, degrees = all / 6000000, minutes_e5 = all % 6000000;
    buf_put_padded(out, degrees, width);
    buf_put_padded(out, minutes_e5 / 100000, 2);
    buf_put_char(out, '.');
    buf_put_padded(out, minutes_e5 % 100000, 5);
    buf_put_char(out, ',');
    buf_put_char(out, letters[e7 < 0]);
    buf_put_char(out, ',');
}

static void put_three(struct buf *out, unsigned a, unsigned b, unsigned c)
{
    buf_put_padded(out, a, 2);
    buf_put_padded(out, b, 2);
    buf_put_padded(out, c, 2);
}

/* The thirteen parameters of D0, each with the comma before it. */
static void put_fix(const struct omni_say *say, struct buf *out)
{
    const struct message *m = say->state;
    struct civil c = civil_of_ms(m->fix_ms);
    bool fix = (m->has & HAS_POSITION) != 0;
    buf_put_char(out, ',');
    buf_put_u64(out, say->origin);
    buf_put_char(out, ',');
    put_three(out, c.hour, c.minute, c.second);
    buf_put_char(out, '.');
    buf_put_padded(out, c.ms, 3);
    buf_put_text(out, fix ? ",A," : ",V,");
    if (fix) {
        put_angle(out, m->lat_e7, 2, "NS");
        put_angle(out, m->lon_e7, 3, "EW");
        buf_put_u64(out, m->sats);
        buf_put_char(out, ',');
        buf_put_decimal(out, m->hdop_centi, 2);
    } else {
        buf_put_text(out, ",,,,,");
    }
    buf_put_char(out, ',');
    if (!(m->has & HAS_FIX_SECOND)) put_three(out, c.day, c.month, (unsigned)(c.year % 100));
    buf_put_char(out, ',');
    if (fix) buf_put_decimal(out, m->alt_dm, 1);
    buf_put_text(out, fix ? ",M,A" : ",,N");
}
