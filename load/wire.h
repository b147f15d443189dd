/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h: what a simulated fleet says in each dialect, and how it knows that it was heard.
 *
 * A vehicle is a number; its id, its positions and its bytes follow from that number, so that afterwards the last
 * position of each can be compared with what the server keeps.
 *
 *     cmdr   D0 of the horseshoe locks, acknowledged with Re,D0 after its commit: the durable one
 *     echo   the same bytes to a server that sends them back: what sockets alone cost
 *     mqtt   the same bytes as a PUBLISH of QoS 1, acknowledged with PUBACK: what a broker costs
 *
 * Pure    the clock arrives as an argument */
#ifndef LOAD_WIRE_H
#define LOAD_WIRE_H

#include "base/buf.h"
#include "base/text.h"

enum { WIRE_VEHICLES_MAX = 1000000, WIRE_SAY_MAX = 256 };

struct wire_vehicle { uint32_t number; struct text64 ident; };

/* What was found at the front of a stream. `wrong`: not what the dialect answers. */
struct wire_heard { uint32_t acks, others; size_t used; const char *wrong; };

struct wire_dialect {
    const char *name;
    /* Says who it is, and the answer to that counts as one ack before the first message; NULL: need not. */
    void (*hello)(const struct wire_vehicle *v, struct buf *out);
    void (*say)(const struct wire_vehicle *v, uint32_t n, int64_t clock_ms, struct buf *out);
    /* `n`: the next message to be acknowledged; UINT32_MAX: the hello. */
    struct wire_heard (*hear)(const struct wire_vehicle *v, uint32_t n, struct bytes in);
};

/* NULL when there is none of that name. */
const struct wire_dialect *wire_find(struct bytes name);
/* "cmdr, echo, mqtt" */
const char *wire_names(void);

struct wire_vehicle wire_vehicle(uint32_t number);
/* Public code of the vehicle, as declared: "L000012". */
struct text16 wire_code(uint32_t number);
/* Where vehicle `number` says in its message `n` that it is. */
void wire_position(uint32_t number, uint32_t n, int32_t *lat_e7, int32_t *lon_e7);
/* Is that the place? Frames carry five decimals of a minute. */
bool wire_is_at(uint32_t number, uint32_t n, int64_t lat_e7, int64_t lon_e7);

#endif
