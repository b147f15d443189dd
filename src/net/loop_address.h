/* SPDX-License-Identifier: Apache-2.0 */
/* loop_address.h: "127.0.0.1:7700" and "[::1]:7700" to and from the system's form. Numbers only: a name
 * look-up would block the loop ("localhost" is read as 127.0.0.1). */
#ifndef NET_LOOP_ADDRESS_H
#define NET_LOOP_ADDRESS_H

#include <sys/socket.h>

#include "base/buf.h"
#include "base/text.h"

struct net_address {
    struct sockaddr_storage at;
    socklen_t len;
};

MUST_USE struct err address_parse(struct bytes text, struct net_address *out);
void address_put(struct buf *out, const struct net_address *address);

/* Who a peer ("203.0.113.7:50123") is to a limit: an address without its port; of IPv6 the network, "2001:db8:1:2::/64",
 * since whoever has one address there has 2^64 of them. What is no address is clipped and left as it is. */
void address_who(struct bytes peer, struct text64 *who);

#endif
