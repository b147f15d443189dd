/* SPDX-License-Identifier: Apache-2.0 */
/* loop_epoll.h: the loop of loop.h on Linux: level-triggered epoll, eventfd for wake-ups, one shared read buffer.
 *
 * Memory  about 170 bytes per possible connection, reserved once; nothing more for an idle one. */
#ifndef NET_LOOP_EPOLL_H
#define NET_LOOP_EPOLL_H

#include "net/loop.h"

/* INVALID for a conn_max of 0 or above 1,000,000; IO from the system. Ends with loop_destroy(). */
MUST_USE struct err loop_epoll_create(const struct loop_config *config, struct loop **out);

#endif
