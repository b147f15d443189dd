/* SPDX-License-Identifier: Apache-2.0 */
/* client_url.c: see client_url.h. */
#include "net/client_url.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "net/client.h"

static struct err parse_authority(struct bytes authority, struct client_url *out)
{
    struct bytes rest = authority;
    if (authority.len && authority.at[0] == '[') {
        size_t end = bytes_find(authority, ']');
        if (end == authority.len) return ERR(INVALID, "an address in brackets does not end");
        out->host = bytes_of(authority.at + 1, end - 1);
        rest = bytes_of(authority.at + end + 1, authority.len - end - 1);
        if (rest.len && rest.at[0] != ':') return ERR(INVALID, "something stands behind the address");
        if (rest.len) rest = bytes_of(rest.at + 1, rest.len - 1);
    } else {
        out->host = bytes_split(&rest, ':');
        if (out->host.len == authority.len) rest = bytes_of(NULL, 0);
    }
    uint64_t port = 1;
    bool colon = authority.len && authority.at[authority.len - 1] == ':';
    if (!out->host.len) return ERR(INVALID, "a URL needs a host");
    if (colon || (rest.len && (bytes_u64(rest, 5, &port).code || !port || port > 65535))) {
        return ERR(INVALID, "a port is 1 to 65535");
    }
    out->port = rest;
    return NO_ERR;
}

static bool host_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == ':';
}

struct err client_url_parse(struct bytes url, struct client_url *out)
{
    memset(out, 0, sizeof *out);
    if (url.len > CLIENT_URL_MAX) return ERR(INVALID, "a URL has at most 512 bytes");
    for (size_t i = 0; i < url.len; i++) {
        bool plain = url.at[i] > 0x20 && url.at[i] < 0x7f && url.at[i] != '\\';
        if (!plain) return ERR(INVALID, "a URL has a character that is not allowed");
    }
    out->https = bytes_starts(url, "https://");
    if (!out->https && !bytes_starts(url, "http://")) return ERR(INVALID, "a URL begins with http:// or https://");
    size_t scheme = out->https ? 8 : 7, end = scheme;
    while (end < url.len && url.at[end] != '/' && url.at[end] != '?' && url.at[end] != '#') end++;
    struct bytes authority = bytes_of(url.at + scheme, end - scheme);
    if (bytes_find(authority, '@') < authority.len) return ERR(INVALID, "a URL may not carry a user or password");
    TRY(parse_authority(authority, out));
    for (size_t i = 0; i < out->host.len; i++) {
        if (!host_char(out->host.at[i])) return ERR(INVALID, "a host has a character that is not allowed");
    }
    return NO_ERR;
}

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c; }

static bool same_name(struct bytes a, struct bytes b)
{
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.at[i]) != lower(b.at[i])) return false;
    }
    return true;
}

static bool entry_fits(struct bytes entry, const struct client_url *url)
{
    if (entry.at[0] == '.') {
        bool below = url->host.len > entry.len;
        return below && same_name(bytes_of(url->host.at + url->host.len - entry.len, entry.len), entry);
    }
    if (same_name(entry, url->host)) return true; /* before the colon is looked for: IPv6 addresses are full of them */
    struct bytes port = entry, host = bytes_split(&port, ':');
    struct bytes have = url->port.len ? url->port : bytes_text(url->https ? "443" : "80");
    return host.len < entry.len && same_name(host, url->host) && bytes_equal(port, have);
}

struct err client_url_allowed(const struct client_url *url, struct bytes hosts)
{
    bool any = false;
    while (hosts.len) {
        size_t n = 0;
        while (n < hosts.len && hosts.at[n] != ',' && hosts.at[n] != ' ') n++;
        struct bytes entry = bytes_of(hosts.at, n);
        hosts = n < hosts.len ? bytes_of(hosts.at + n + 1, hosts.len - n - 1) : bytes_of(NULL, 0);
        if (!entry.len) continue;
        any = true;
        if (entry_fits(entry, url)) return NO_ERR;
    }
    return any ? ERR(FORBIDDEN, "the host is not in the setting outbound.hosts") : NO_ERR;
}

static const struct { uint32_t net; uint8_t bits; } inside4[] = {
    {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16}, {0xac100000, 12},
    {0xc0000000, 24}, {0xc0000200, 24}, {0xc0a80000, 16}, {0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24},
    {0xe0000000, 3},
};

static bool public4(uint32_t host)
{
    for (size_t i = 0; i < sizeof inside4 / sizeof *inside4; i++) {
        if ((host ^ inside4[i].net) >> (32 - inside4[i].bits) == 0) return false;
    }
    return true;
}

static uint32_t inner4(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool public6(const uint8_t at[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, nat64[12] = {0, 0x64, 0xff, 0x9b};
    if (!memcmp(at, mapped, 12) || !memcmp(at, nat64, 12)) return public4(inner4(at + 12));
    if (at[0] == 0x20 && at[1] == 0x02) return public4(inner4(at + 2)); /* 6to4 */
    if (at[0] == 0x20 && at[1] == 0x01 && !at[2] && !at[3]) return false; /* Teredo */
    return (at[0] & 0xe0) == 0x20; /* 2000::/3 is what is given out; everything else is loopback, inside or reserved */
}

bool client_address_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return public4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family != AF_INET6) return false;
    struct sockaddr_in6 in;
    memcpy(&in, address, sizeof in);
    return public6(in.sin6_addr.s6_addr);
}
