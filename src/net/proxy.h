/* SPDX-License-Identifier: Apache-2.0 */
/* proxy.h: who really connects, told by a front proxy: the PROXY protocol, version 2 (haproxy's proxy-protocol.txt).
 *
 *     12 bytes signature | version and command | family and transport | length, big-endian | addresses | TLVs
 *
 * A front that ends TLS connects from its own address. This header, sent once ahead of everything else, carries the
 * client's, so that limits by address count people and not the proxy. Only who can be trusted may reach such a port:
 * the header is believed.
 * Strict  version 2 only, TCP only; a stream that begins with anything else is nobody's
 * LOCAL   the proxy speaks for itself (health checks): the connection's own address stays
 * Limits  PROXY_BODY_MAX bytes behind the fixed part; TLVs are passed over
 * Pure but for the text of addresses. Thread any */
#ifndef NET_PROXY_H
#define NET_PROXY_H

#include "base/bytes.h"
#include "base/text.h"

#define PROXY_HEAD_LEN 16u
#define PROXY_BODY_MAX 520u

/* Reads the header that `in` begins with. *used: its length, 0 when more bytes are needed. *peer becomes the client's
 * "203.0.113.7:50123", and stays as it was for LOCAL and for families without addresses. MALFORMED, TOO_LARGE. */
MUST_USE struct err proxy_read(struct bytes in, size_t *used, struct text64 *peer);

#endif
