/* SPDX-License-Identifier: Apache-2.0 */
/* crowd.c: see crowd.h. */
#include "sim/crowd.h"

#include <stdlib.h>

#include "base/must.h"

/* When and in which order stand in the heap itself: a compare that follows the pointer misses the cache each time. */
struct crowd_place { int64_t due_us; uint64_t order; struct crowd_timer *timer; };

static int64_t on_turn(void *ctx, int64_t now_ms);
static int64_t due_in_loop_ms(const struct crowd *c);
static int64_t on_the_ms(const struct crowd *c, int64_t due_us);
static void heap_rise(struct crowd *c, uint32_t at, struct crowd_place p);
static void heap_sink(struct crowd *c, uint32_t at, struct crowd_place p);

struct err crowd_create(const struct crowd_config *config, struct crowd **out)
{
    struct crowd *c = calloc(1, sizeof *c);

    if (!c) return ERR(IO, "crowd: no memory");
    *c = (struct crowd){.loop = config->loop,
                        .seed = config->seed,
                        .start_ms = config->start_ms,
                        .loop_start_us = loop_now_us(config->loop),
                        .speed = config->speed ? config->speed : 1,
                        .ctx = config->ctx,
                        .on_connect = config->on_connect};
    struct err e = loop_add_hook(c->loop, (struct loop_hook){.ctx = c, .fn = on_turn});
    if (e.code) {
        free(c);
        return e;
    }
    *out = c;
    return NO_ERR;
}

void crowd_destroy(struct crowd *c)
{
    if (!c) return;
    loop_remove_hook(c->loop, c);
    free(c->heap);
    free(c);
}

int64_t crowd_now_us(const struct crowd *c)
{
    return c->start_ms * 1000 + (loop_now_us(c->loop) - c->loop_start_us) * c->speed;
}

int64_t crowd_now_ms(const struct crowd *c) { return crowd_now_us(c) / 1000; }

void crowd_set_timer(struct crowd *c, struct crowd_timer *t, int64_t due_us)
{
    must(t->fn);
    due_us = on_the_ms(c, due_us);
    if (t->at && t->due_us == due_us) return;
    crowd_clear_timer(c, t);
    if (c->count + 2 > c->cap) {
        c->cap = c->cap ? c->cap * 2 : 64;
        c->heap = realloc(c->heap, c->cap * sizeof *c->heap);
        must(c->heap);
    }
    t->due_us = due_us;
    t->order = ++c->order;
    c->count++;
    heap_rise(c, c->count, (struct crowd_place){t->due_us, t->order, t});
    /* The hook has told the loop when to come back; this may be sooner. */
    if (t->at == 1 && !c->in_hook) loop_wake(c->loop);
}

void crowd_clear_timer(struct crowd *c, struct crowd_timer *t)
{
    uint32_t at = t->at;

    if (!at) return;
    must(c->heap[at].timer == t);
    t->at = 0;
    struct crowd_place last = c->heap[c->count--];
    if (last.timer == t) return;
    heap_rise(c, at, last);
    if (last.timer->at == at) heap_sink(c, at, last);
}

struct prng crowd_stream(const struct crowd *c, const char *kind, struct bytes name)
{
    char text[128];
    struct buf b = buf_on(text, sizeof text);

    buf_put_text(&b, kind);
    buf_put_char(&b, '/');
    buf_put_bytes(&b, name);
    return prng_of(c->seed, buf_bytes(&b));
}

void crowd_name_link(struct crowd *c, const char *kind, struct bytes name, uint64_t count)
{
    char text[128];
    struct buf b = buf_on(text, sizeof text);

    if (!c->on_connect) return;
    buf_put_text(&b, kind);
    buf_put_char(&b, '/');
    buf_put_bytes(&b, name);
    buf_put_char(&b, '/');
    buf_put_u64(&b, count);
    c->on_connect(c->ctx, buf_bytes(&b));
}

static int64_t on_turn(void *ctx, int64_t now_ms)
{
    struct crowd *c = ctx;
    int64_t now_us = crowd_now_us(c);

    (void)now_ms;
    c->in_hook = true;
    while (c->count && c->heap[1].due_us <= now_us) {
        struct crowd_timer *t = c->heap[1].timer;
        crowd_clear_timer(c, t);
        c->fired++;
        t->fn(t->owner);
    }
    c->in_hook = false;
    return due_in_loop_ms(c);
}

static int64_t due_in_loop_ms(const struct crowd *c)
{
    if (!c->count) return LOOP_NEVER;
    return (c->loop_start_us + (c->heap[1].due_us - c->start_ms * 1000) / c->speed) / 1000;
}

/* Rounded up to a whole millisecond of the loop, which is when hooks are called: else a timer would fire
 * with whatever turn came first, and a neighbour's bytes could change when an actor acts. */
static int64_t on_the_ms(const struct crowd *c, int64_t due_us)
{
    int64_t in_us = due_us - c->start_ms * 1000;
    int64_t loop_us = c->loop_start_us + (in_us > 0 ? (in_us + c->speed - 1) / c->speed : 0);

    return c->start_ms * 1000 + ((loop_us + 999) / 1000 * 1000 - c->loop_start_us) * c->speed;
}

static bool before(const struct crowd_place *a, const struct crowd_place *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void heap_put(struct crowd *c, uint32_t at, struct crowd_place p)
{
    c->heap[at] = p;
    p.timer->at = at;
}

static void heap_rise(struct crowd *c, uint32_t at, struct crowd_place p)
{
    for (; at > 1 && before(&p, &c->heap[at / 2]); at /= 2) heap_put(c, at, c->heap[at / 2]);
    heap_put(c, at, p);
}

static void heap_sink(struct crowd *c, uint32_t at, struct crowd_place p)
{
    for (uint32_t child = at * 2; child <= c->count; at = child, child *= 2) {
        if (child < c->count && before(&c->heap[child + 1], &c->heap[child])) child++;
        if (!before(&c->heap[child], &p)) break;
        heap_put(c, at, c->heap[child]);
    }
    heap_put(c, at, p);
}
