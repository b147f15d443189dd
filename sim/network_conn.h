/* SPDX-License-Identifier: Apache-2.0 */
/* network_conn.h: one connection of the fake network as its loop sees it. Only for sim/network_*.c; the
 * states are those of net/loop_inside.h. */
#ifndef SIM_NETWORK_CONN_H
#define SIM_NETWORK_CONN_H

#include "sim/network_inside.h"

enum net_conn_state { NET_FREE, NET_CONNECTING, NET_OPEN, NET_FLUSHING, NET_LINGERING, NET_ENDED };
enum { READY_SOCKET = 1, READY_CONNECTED = 2, READY_REFUSED = 4, READY_ROOM = 8, READY_DUE = 16 };

struct net_conn {
    const struct conn_handler *handler;
    struct conn_limits limits;
    uint8_t *kept, *out;
    uint32_t kept_len, kept_cap, out_head, out_len, out_cap;
    uint32_t generation, link;
    int64_t deadline_ms, stall_at_ms, armed_ms; /* armed: of the earliest event on its way; 0: none */
    uint8_t state, reason, listener, side, ready;
    bool own_deadline; /* set by the owner, so it outlives the connecting */
    bool listed, due, paused, blocked, eof, dirty, again, wants_writable; /* listed: in net_loop.ready */
};

struct net_conn *net_conn_of(struct net_loop *l, uint64_t handle);
uint64_t net_conn_handle(const struct net_loop *l, const struct net_conn *c);
struct net_conn *net_conn_new(struct net_loop *l, uint32_t link, uint8_t side,
                              const struct conn_handler *handler, const struct conn_limits *limits,
                              enum net_conn_state state);
void net_conn_ready(struct net_loop *l, uint32_t slot, uint8_t what);
void net_conn_on_ready(struct net_loop *l, struct net_conn *c, uint8_t what);
void net_conn_on_due(struct net_loop *l, struct net_conn *c);
void net_conn_redeliver(struct net_loop *l, struct net_conn *c);
void net_conn_flush(struct net_loop *l, struct net_conn *c);
void net_conn_finish(struct net_loop *l, struct net_conn *c);
void net_conn_end(struct net_loop *l, struct net_conn *c, enum close_reason reason, enum close_how how);
void net_conn_abandon(struct net_loop *l, struct net_conn *c);
void net_conn_arm(struct net_loop *l, struct net_conn *c);
void net_conn_drop_memory(struct net_loop *l, struct net_conn *c);
bool net_conn_reserve_out(struct net_loop *l, struct net_conn *c, size_t more);
void net_mark(struct net_slots *list, bool *flag, uint32_t slot);

#endif
