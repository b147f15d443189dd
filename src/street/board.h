/* SPDX-License-Identifier: Apache-2.0 */
/* board.h: one thread shows what it made, others look at it, and nobody waits.
 *
 *     writer    board_free(board, it)   is nobody looking at this one? then it may be made anew
 *               board_show(board, it)   from now on this one is looked at
 *     reader    it = board_hold(board, reader) … board_let_go(board, reader)
 *
 * A reader announces in its own slot what it is about to look at and then looks whether it is still shown; the writer
 * changes what is shown before it looks at the slots. So one of the two sees the other.
 * Limits  BOARD_READERS; one hold at a time each
 * Thread  one writer; each reader slot is one thread's */
#ifndef STREET_BOARD_H
#define STREET_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>

enum { BOARD_READERS = 4 };

struct board {
    _Atomic(void *) shown;
    struct { _Alignas(64) _Atomic(void *) held; } slots[BOARD_READERS];
};

void board_show(struct board *b, void *it);
/* Neither shown nor held. */
bool board_free(const struct board *b, const void *it);
/* NULL before the first board_show; good until board_let_go. */
const void *board_hold(struct board *b, unsigned reader);
void board_let_go(struct board *b, unsigned reader);
/* How many hold something now. */
unsigned board_held(const struct board *b);

#endif
