/* SPDX-License-Identifier: Apache-2.0 */
/* proxy.c: see proxy.h. */
#include "net/proxy.h"

#include <netinet/in.h>
#include <string.h>

#include "net/loop_address.h"

enum { VERSION_2 = 0x20, LOCAL = 0, PROXY = 1, TCP4 = 0x11, TCP6 = 0x21, TCP4_LEN = 12, TCP6_LEN = 36 };

static const uint8_t signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

static void peer_set(struct text64 *peer, const struct net_address *address)
{
    struct buf b = buf_on(peer->at, sizeof peer->at);
    address_put(&b, address);
    peer->len = (uint8_t)b.len;
}

/* Source address, destination address, source port, destination port; the ports are in the order of the wire too. */
static struct err addresses(uint8_t family, struct bytes body, struct text64 *peer)
{
    struct net_address from = {0};
    if (family == TCP4) {
        struct sockaddr_in *at = (struct sockaddr_in *)&from.at;
        if (body.len < TCP4_LEN) return ERR(MALFORMED, "proxy: the addresses end early");
        at->sin_family = AF_INET;
        memcpy(&at->sin_addr, body.at, 4);
        memcpy(&at->sin_port, body.at + 8, 2);
    } else if (family == TCP6) {
        struct sockaddr_in6 *at = (struct sockaddr_in6 *)&from.at;
        if (body.len < TCP6_LEN) return ERR(MALFORMED, "proxy: the addresses end early");
        at->sin6_family = AF_INET6;
        memcpy(&at->sin6_addr, body.at, 16);
        memcpy(&at->sin6_port, body.at + 32, 2);
    } else if (family == 0) {
        return NO_ERR; /* the proxy does not know */
    } else {
        return ERR(MALFORMED, "proxy: neither TCP over IPv4 nor over IPv6");
    }
    peer_set(peer, &from);
    return NO_ERR;
}

struct err proxy_read(struct bytes in, size_t *used, struct text64 *peer)
{
    size_t seen = in.len < sizeof signature ? in.len : sizeof signature;

    *used = 0;
    if (memcmp(in.at, signature, seen) != 0) return ERR(MALFORMED, "proxy: no header of version 2");
    if (in.len < PROXY_HEAD_LEN) return NO_ERR;
    uint8_t command = in.at[12] ^ VERSION_2, family = in.at[13];
    size_t len = (size_t)in.at[14] << 8 | in.at[15];
    if (command != LOCAL && command != PROXY) return ERR(MALFORMED, "proxy: another version or command");
    if (len > PROXY_BODY_MAX) return ERR(TOO_LARGE, "proxy: the header is too long");
    if (in.len < PROXY_HEAD_LEN + len) return NO_ERR;
    if (command == PROXY) TRY(addresses(family, bytes_of(in.at + PROXY_HEAD_LEN, len), peer));
    *used = PROXY_HEAD_LEN + len;
    return NO_ERR;
}
