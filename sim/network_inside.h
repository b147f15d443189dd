/* SPDX-License-Identifier: Apache-2.0 */
/* network_inside.h: what the files of the fake network share. Nobody else includes this.
 *
 * network.c       clock, events, rules, stepping
 * network_link.c  the part that is a kernel and a wire: chunks under way, resets, faults
 * network_loop.c  the rows of struct loop_calls and the turn
 * network_conn.c  one connection as its loop sees it: the states of net/loop_inside.h, kept and queued
 * bytes */
#ifndef SIM_NETWORK_INSIDE_H
#define SIM_NETWORK_INSIDE_H

#include "base/buf.h"
#include "base/prng.h"
#include "sim/network.h"

enum { CLIENT = 0, SERVER = 1, NO_SLOT = 0xffffff, LATENCY_MIN_US = 1, RULE_NAME_MAX = 48 };

enum event_kind_of_network {
    ON_CHUNK,    /* the first chunk of pipe `side` is due */
    ON_SYN,      /* the connect reached the far host */
    ON_ANSWER,   /* it is connected, as the client knows */
    ON_REFUSAL,
    ON_RESET,    /* end `side` sees a reset */
    ON_SEVER,    /* both do */
    ON_ROOM,     /* the window of pipe `side` opened: its writer goes on */
    ON_DEADLINE, /* of a connection: look at it */
};

struct net_event {
    int64_t at_us;
    uint64_t order, arg;      /* arg: the conn, of ON_DEADLINE */
    uint32_t link, serial;    /* the link's or the loop's; stale ones are skipped */
    uint8_t kind, side;
};

struct net_chunk {
    struct net_chunk *next;
    int64_t due_us;
    uint32_t len;
    bool fin;
    uint8_t at[];
};

/* One direction, named by the side that writes. */
struct net_pipe {
    struct net_chunk *first, *last;
    uint32_t under_way;       /* bytes that the reader has not taken */
    int64_t last_due_us, stalled_until_us;
    bool silent, fin_sent;
};

/* A kernel's socket. */
struct net_end {
    struct net_loop *loop;
    uint32_t slot;            /* of the loop's connection; NO_SLOT before it is accepted */
    uint8_t *in;
    uint32_t in_head, in_len, in_cap;
    bool fin, reset, closed;
};

struct net_link {
    uint32_t serial;          /* 0: free */
    uint64_t number;          /* among all links ever, for the hash */
    struct net_end ends[2];
    struct net_pipe pipes[2];
    struct prng prng;
    struct network_faults faults;
    uint32_t client_port;
    uint16_t port;
    uint8_t listener;
    bool doomed;              /* one fault ends it already */
};

struct net_slots { uint32_t *at, count; };

struct net_listener { struct loop_listener_config config; uint16_t port; bool listening; uint32_t open; };

struct net_loop {
    struct loop loop;
    struct network *network;
    struct loop_config config;
    uint32_t index, serial;   /* in network.loops */
    struct net_conn *conns;
    uint32_t *free_slots, free_count, conn_count;
    struct net_slots ready, dirty, again, ended, accepts; /* accepts: links */
    uint32_t accepts_cap;
    struct net_listener listeners[LOOP_LISTENER_MAX];
    struct loop_hook hooks[LOOP_HOOK_MAX];
    int64_t hook_due_us;
    uint64_t links_made;
    struct text64 name, link_name;
    bool woken, in_turn;
    uint8_t *read_buffer;     /* filled up to its end, so that a sanitizer sees reads behind it */
};

struct net_rule { uint16_t port; bool used; struct network_faults faults; };

struct network {
    uint64_t seed, order, hash, links_ever, loops_ever;
    int64_t now_us;
    struct net_event *events; /* a heap, 1-based */
    uint32_t event_count, event_cap;
    struct net_link *links;
    uint32_t link_cap, link_count, *free_links, free_count;
    struct net_loop *loops[NETWORK_LOOP_MAX];
    struct net_rule rules[NETWORK_RULE_MAX];
    uint64_t faults[NETWORK_FAULT_N];
    uint32_t next_port;
};

extern const struct loop_calls net_loop_calls;

/* network.c */
void network_at(struct network *n, int64_t at_us, enum event_kind_of_network kind, uint32_t link,
                uint8_t side);
void network_at_deadline(struct net_loop *l, int64_t at_ms, uint64_t conn);
const struct network_faults *network_rule(const struct network *n, uint16_t port);
struct net_loop *network_listener_of(struct network *n, uint16_t port, uint8_t *listener);
void *network_grow(void *at, size_t size); /* realloc that must not fail: this is a simulator */

/* network_link.c */
uint32_t link_new(struct net_loop *client, uint16_t port, uint32_t slot);
void link_on_event(struct network *n, const struct net_event *event);
/* Takes up to the window's room; returns how much. */
uint32_t link_write(struct network *n, struct net_link *k, uint8_t side, struct bytes bytes);
uint32_t link_read(struct network *n, struct net_link *k, uint8_t side, uint8_t *to, uint32_t room);
void link_shut(struct network *n, struct net_link *k, uint8_t side);  /* no more will be written */
void link_close(struct network *n, struct net_link *k, uint8_t side); /* the socket is gone */
void link_kill(struct network *n, struct net_link *k, uint8_t side, uint32_t reset_us);
void link_break(struct network *n, struct net_link *k, enum network_fault fault);

#endif
