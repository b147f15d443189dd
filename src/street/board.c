/* SPDX-License-Identifier: Apache-2.0 */
#include "street/board.h"

#include <stddef.h>

#include "base/must.h"

/* Sequentially consistent on purpose: "announce, then look" against "change, then look" needs one order for all. */

void board_show(struct board *b, void *it)
{
    atomic_store(&b->shown, it);
}

bool board_free(const struct board *b, const void *it)
{
    if (atomic_load(&b->shown) == it) return false;
    for (unsigned i = 0; i < BOARD_READERS; i++) {
        if (atomic_load(&b->slots[i].held) == it) return false;
    }
    return true;
}

const void *board_hold(struct board *b, unsigned reader)
{
    must(reader < BOARD_READERS && !atomic_load_explicit(&b->slots[reader].held, memory_order_relaxed));
    for (;;) {
        void *it = atomic_load(&b->shown);
        atomic_store(&b->slots[reader].held, it);
        if (atomic_load(&b->shown) == it) return it;
    }
}

void board_let_go(struct board *b, unsigned reader)
{
    atomic_store_explicit(&b->slots[reader].held, NULL, memory_order_release);
}

unsigned board_held(const struct board *b)
{
    unsigned held = 0;
    for (unsigned i = 0; i < BOARD_READERS; i++) held += atomic_load_explicit(&b->slots[i].held, memory_order_relaxed) != NULL;
    return held;
}
