/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/waker.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void waker_wake(struct waker *w)
{
    if (atomic_exchange_explicit(&w->woken, 1, memory_order_acq_rel)) return;
    syscall(SYS_futex, &w->woken, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void waker_wait(struct waker *w, int64_t us)
{
    if (atomic_exchange_explicit(&w->woken, 0, memory_order_acq_rel) || us <= 0) return;
    struct timespec limit = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    syscall(SYS_futex, &w->woken, FUTEX_WAIT_PRIVATE, 0, &limit, NULL, 0);
    atomic_store_explicit(&w->woken, 0, memory_order_release);
}
