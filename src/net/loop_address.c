/* SPDX-License-Identifier: Apache-2.0 */
/* loop_address.c: see loop_address.h. */
#include "net/loop_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

struct err address_parse(struct bytes text, struct net_address *out)
{
    char host[INET6_ADDRSTRLEN];
    struct bytes name = text, port_text;
    uint64_t port;
    size_t colon = text.len;

    while (colon > 0 && text.at[colon - 1] != ':') colon--;
    if (colon == 0) return ERR(MALFORMED, "address: no port, expected 127.0.0.1:7700 or [::1]:7700");
    name.len = colon - 1;
    port_text = bytes_of(text.at + colon, text.len - colon);
    if (bytes_u64(port_text, 5, &port).code || port > 65535)
        return ERR(MALFORMED, "address: port is not 0 to 65535");

    memset(out, 0, sizeof *out);
    bool v6 = name.len >= 2 && name.at[0] == '[' && name.at[name.len - 1] == ']';
    if (v6) name = bytes_of(name.at + 1, name.len - 2);
    if (bytes_equal_text(name, "localhost")) name = bytes_text("127.0.0.1");
    if (name.len >= sizeof host) return ERR(MALFORMED, "address: host is not a numeric address");
    memcpy(host, name.at, name.len);
    host[name.len] = 0;
    if (v6) {
        struct sockaddr_in6 *at = (struct sockaddr_in6 *)&out->at;
        at->sin6_family = AF_INET6;
        at->sin6_port = htons((uint16_t)port);
        out->len = sizeof *at;
        if (inet_pton(AF_INET6, host, &at->sin6_addr) == 1) return NO_ERR;
    } else {
        struct sockaddr_in *at = (struct sockaddr_in *)&out->at;
        at->sin_family = AF_INET;
        at->sin_port = htons((uint16_t)port);
        out->len = sizeof *at;
        if (inet_pton(AF_INET, host, &at->sin_addr) == 1) return NO_ERR;
    }
    return ERR(MALFORMED, "address: host is not a numeric address");
}

void address_put(struct buf *out, const struct net_address *address)
{
    char host[INET6_ADDRSTRLEN] = "?";

    if (address->at.ss_family == AF_INET6) {
        const struct sockaddr_in6 *at = (const struct sockaddr_in6 *)&address->at;
        inet_ntop(AF_INET6, &at->sin6_addr, host, sizeof host);
        buf_put_char(out, '[');
        buf_put_text(out, host);
        buf_put_text(out, "]:");
        buf_put_u64(out, ntohs(at->sin6_port));
        return;
    }
    const struct sockaddr_in *at = (const struct sockaddr_in *)&address->at;
    inet_ntop(AF_INET, &at->sin_addr, host, sizeof host);
    buf_put_text(out, host);
    buf_put_char(out, ':');
    buf_put_u64(out, ntohs(at->sin_port));
}

void address_who(struct bytes peer, struct text64 *who)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct net_address address;
    char text[INET6_ADDRSTRLEN + 4];
    struct buf b = buf_on(text, sizeof text);
    size_t end = peer.len;

    while (end > 0 && peer.at[end - 1] != ':') end--;
    *who = (struct text64){0};
    bool v6 = peer.len && peer.at[0] == '[' && !address_parse(peer, &address).code;
    if (v6) {
        struct sockaddr_in6 *at = (struct sockaddr_in6 *)&address.at;
        uint8_t *bytes = at->sin6_addr.s6_addr;
        bool v4 = !memcmp(bytes, mapped, sizeof mapped);
        char host[INET6_ADDRSTRLEN] = "?";
        if (!v4) memset(bytes + 8, 0, 8);
        inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? bytes + 12 : bytes, host, sizeof host);
        buf_put_text(&b, host);
        if (!v4) buf_put_text(&b, "/64");
        text_clip(who, buf_bytes(&b));
    } else {
        text_clip(who, bytes_of(peer.at, end ? end - 1 : peer.len));
    }
}
