/* SPDX-License-Identifier: Apache-2.0 */
/* waker.h: one thread sleeps until another says that there is work, or until a time.
 *
 * A wake while nobody sleeps is kept (once), so work put before the wake is never slept over.
 * Thread  waker_wait one thread, waker_wake any */
#ifndef OPS_WAKER_H
#define OPS_WAKER_H

#include <stdatomic.h>
#include <stdint.h>

struct waker { _Atomic uint32_t woken; };

void waker_wake(struct waker *w);
/* Sleeps at most `us`; 0 returns at once. */
void waker_wait(struct waker *w, int64_t us);

#endif
