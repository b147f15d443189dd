/* SPDX-License-Identifier: Apache-2.0 */
/* omni_encode.c: what the server says to a vehicle: acknowledgements and orders.
 *
 * The two octets FF FF before each frame wake the modem; several public servers send the text "0xFFFF" there, which
 * is a bug of theirs. Header family and vendor tag are the ones that the device used. */
#include "proto/omni_frame.h"

#include "base/timetext.h"

#define KEYED (OMNI_BIT(OMNI_SCOR) | OMNI_BIT(OMNI_HBCR) | OMNI_BIT(OMNI_BGCR))
#define SCOR OMNI_BIT(OMNI_SCOR)
#define HBCR OMNI_BIT(OMNI_HBCR)
#define CMDR OMNI_BIT(OMNI_CMDR)
#define BGCR OMNI_BIT(OMNI_BGCR)

#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)
#define VALID TEXT_OF(OMNI_KEY_VALID_S)

/* What each order is on the wire: $k the key, $u the user, $t the stamp, $v the value. A horseshoe lock has no row for LOCK: only a
 * hand closes it. HBCR's status layout is not known, so a position is asked for as a sign of life. */
struct order_row { uint8_t dialects, op, step; const char *wire; };
static const struct order_row order_rows[] = {
    {KEYED, ORDER_UNLOCK, 0, "R0,0," VALID ",$u,$t"},
    {KEYED, ORDER_UNLOCK, 1, "L0,$k,$u,$t"},
    {KEYED, ORDER_LOCK, 0, "R0,1," VALID ",$u,$t"},
    {KEYED, ORDER_LOCK, 1, "L1,$k"},
    {CMDR, ORDER_UNLOCK, 0, "L0,0,$u,$t"},
    {SCOR | HBCR | CMDR | BGCR, ORDER_LOCATE, 0, "D0"},
    {SCOR | HBCR | CMDR, ORDER_TRACK, 0, "D1,$v"},
    {SCOR, ORDER_STATUS, 0, "S6"},
    {HBCR, ORDER_STATUS, 0, "D0"},
    {CMDR, ORDER_STATUS, 0, "S5"},
    {SCOR | HBCR, ORDER_RING, 0, "V0,2"},
    {CMDR, ORDER_RING, 0, "S8,5,0"},
    {SCOR | HBCR, ORDER_RESTART, 0, "S1,2"},
    {CMDR, ORDER_RESTART, 0, "S1"},
};

static struct err begin(struct buf *out, uint8_t dialect, const struct text4 *vendor, const struct text64 *ident,
                        int64_t now_ms);
static struct err end(struct buf *out);

struct err omni_encode_ack(const struct message *msg, int64_t now_ms, struct buf *out)
{
    if (!msg->must_ack) return ERR(UNSUPPORTED, "the device expects no acknowledgement of this");
    TRY(begin(out, msg->dialect, &msg->vendor, &msg->ident, now_ms));
    if (omni_dialects[msg->dialect].ack_by_re) buf_put_text(out, "Re,");
    buf_put_bytes(out, msg->command);
    return end(out);
}

static void put_order(struct buf *out, const char *wire, const struct order *order)
{
    for (; *wire; wire++) {
        if (*wire != '$') {
            buf_put_char(out, *wire);
            continue;
        }
        wire++;
        uint32_t number = *wire == 'k' ? order->key : *wire == 'u' ? order->user : *wire == 't' ? order->stamp : order->value;
        buf_put_u64(out, number);
    }
}

struct err omni_encode(const struct order *order, struct buf *out)
{
    if (order->dialect >= OMNI_DIALECT_N) return ERR(UNSUPPORTED, "no such dialect");
    for (unsigned i = 0; i < sizeof order_rows / sizeof order_rows[0]; i++) {
        const struct order_row *row = &order_rows[i];
        if (row->op != order->op || row->step != order->step) continue;
        if (!(row->dialects & OMNI_BIT(order->dialect))) continue;
        TRY(begin(out, order->dialect, &order->vendor, &order->ident, order->now_ms));
        put_order(out, row->wire, order);
        return end(out);
    }
    return ERR(UNSUPPORTED, "the dialect has no such order");
}

void omni_put_clock(struct buf *b, int64_t ms)
{
    if (ms == 0) {
        buf_put_text(b, "000000000000");
        return;
    }
    struct civil c = civil_of_ms(ms);
    const uint8_t parts[] = {(uint8_t)(c.year % 100), c.month, c.day, c.hour, c.minute, c.second};
    for (unsigned i = 0; i < sizeof parts; i++) buf_put_padded(b, parts[i], 2);
}

/* An ident may come from a settings file: a comma or `#` in it would be a second command. */
static bool plain(struct bytes in)
{
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.at[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'))) return false;
    }
    return in.len != 0;
}

static struct err begin(struct buf *out, uint8_t dialect, const struct text4 *vendor, const struct text64 *ident,
                        int64_t now_ms)
{
    if (dialect == 0 || dialect >= OMNI_DIALECT_N) return ERR(UNSUPPORTED, "no such dialect");
    if (!plain(text_bytes(vendor)) || !plain(text_bytes(ident)) || ident->len != 15) {
        return ERR(INVALID, "the device's id or vendor tag cannot stand in a frame");
    }
    buf_put_text(out, "\xff\xff*");
    buf_put_text(out, omni_dialects[dialect].down);
    buf_put_char(out, ',');
    buf_put_bytes(out, text_bytes(vendor));
    buf_put_char(out, ',');
    buf_put_bytes(out, text_bytes(ident));
    buf_put_char(out, ',');
    if (omni_dialects[dialect].clock) {
        omni_put_clock(out, now_ms);
        buf_put_char(out, ',');
    }
    return NO_ERR;
}

static struct err end(struct buf *out)
{
    buf_put_text(out, "#\n");
    return out->full ? ERR(TOO_LARGE, "no room for the frame") : NO_ERR;
}
