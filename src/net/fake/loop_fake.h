/* SPDX-License-Identifier: Apache-2.0 */
/* loop_fake.h: a loop in memory for the tests and the fuzz harness of net: the test is network and clock.
 *
 * A connection made with loop_connect() to a listener's address meets a server connection in the same loop; one
 * made with fake_dial() is the test itself. Limits, kept bytes, deadlines and on_close behave as loop.h says.
 * Owner   the test; at most FAKE_CONN_MAX connections at once
 * Thread  one */
#ifndef NET_LOOP_FAKE_H
#define NET_LOOP_FAKE_H

#include "net/loop.h"

enum { FAKE_CONN_MAX = 64 };

struct loop *loop_fake_create(void);
/* Most bytes that one read gives from now on; 0: no limit. */
void fake_set_read_max(struct loop *l, size_t read_max);
void fake_advance_ms(struct loop *l, int64_t ms);
/* One turn without waiting. */
void fake_turn(struct loop *l);
/* Turns until nothing moves any more. */
void fake_settle(struct loop *l);

/* Somebody connects to a listener; 0 when refused. */
uint64_t fake_dial(struct loop *l, uint32_t listener);
void fake_send(struct loop *l, uint64_t conn, struct bytes bytes);
/* All that the peer has received so far; borrowed until the next turn. Stays readable after the close. */
struct bytes fake_received(struct loop *l, uint64_t conn);
void fake_forget_received(struct loop *l, uint64_t conn);
/* The peer reads nothing while stalled. */
void fake_stall(struct loop *l, uint64_t conn, bool stalled);
void fake_hang_up(struct loop *l, uint64_t conn);
bool fake_is_closed(struct loop *l, uint64_t conn, enum close_reason *reason);
bool fake_is_paused(struct loop *l, uint64_t conn);
size_t fake_kept(struct loop *l, uint64_t conn);

#endif
