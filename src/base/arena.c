/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/must.h"

struct arena arena_on(void *memory, size_t cap)
{
    return (struct arena){.at = memory, .cap = cap};
}

size_t arena_need(size_t size)
{
    return (size + 63) & ~(size_t)63;
}

void *arena_take(struct arena *a, size_t size)
{
    size_t need = arena_need(size);
    must(need <= a->cap - a->len);
    void *at = a->at + a->len;
    a->len += need;
    return at;
}
