/* SPDX-License-Identifier: Apache-2.0 */
/* client_url.h: which URLs and addresses the server may call: the door against requests that are made to look inside
 * (SSRF). Thread any. */
#ifndef NET_CLIENT_URL_H
#define NET_CLIENT_URL_H

#include "base/bytes.h"

struct sockaddr;

/* Of a URL "http[s]://HOST[:PORT][/...]": no user, no control characters or spaces, at most CLIENT_URL_MAX bytes. */
struct client_url {
    bool https;
    struct bytes host;      /* as written; an IPv6 address without its brackets */
    struct bytes port;      /* empty: the scheme's */
};
/* INVALID says what is wrong. */
MUST_USE struct err client_url_parse(struct bytes url, struct client_url *out);
/* `hosts`: names separated by commas or spaces, each "host", "host:port" or ".domain" (everything below it); empty allows
 * every host. FORBIDDEN. */
MUST_USE struct err client_url_allowed(const struct client_url *url, struct bytes hosts);
/* Reachable from anywhere: not loopback, private, link-local, shared, multicast or reserved, in neither family nor in one
 * of the ways in which IPv6 carries IPv4. */
bool client_address_public(const struct sockaddr *address);

#endif
