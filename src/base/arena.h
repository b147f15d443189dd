/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h: hands out pieces of memory that somebody else reserved; nothing is ever given back singly. Pure. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena {
    uint8_t *at;
    size_t len, cap;
};

struct arena arena_on(void *memory, size_t cap);
/* 64-byte aligned; must() on running out: sizes are summed before the memory is reserved. The memory is not cleared:
 * pages fresh from the kernel are zero and stay untouched until used. */
void *arena_take(struct arena *a, size_t size);
/* What arena_take uses up for `size`. */
size_t arena_need(size_t size);

#endif
