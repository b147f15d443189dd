/* SPDX-License-Identifier: Apache-2.0 */
/* network.c: see network.h: the clock, the heap of events, rules, and whose turn it is. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/must.h"
#include "sim/network_inside.h"

static void event_push(struct network *n, struct net_event event);
static struct net_event event_pop(struct network *n);
static bool event_before(const struct net_event *a, const struct net_event *b);

const char *network_fault_text(enum network_fault fault)
{
    static const char *const texts[NETWORK_FAULT_N] = {
#define X(name, text) [NETWORK_FAULT_##name] = text,
        NETWORK_FAULT_LIST(X)
#undef X
    };
    return (unsigned)fault < NETWORK_FAULT_N ? texts[fault] : "unknown";
}

struct network *network_create(uint64_t seed, int64_t start_us)
{
    struct network *n = calloc(1, sizeof *n);

    must(n);
    n->seed = seed;
    n->now_us = start_us;
    n->next_port = 40000;
    return n;
}

void network_destroy(struct network *n)
{
    if (!n) return;
    for (uint32_t i = 0; i < NETWORK_LOOP_MAX; i++) loop_destroy(n->loops[i] ? &n->loops[i]->loop : NULL);
    must(n->link_count == 0);
    free(n->events);
    free(n->links);
    free(n->free_links);
    free(n);
}

void network_set_faults(struct network *n, uint16_t port, const struct network_faults *faults)
{
    struct net_rule *free_rule = NULL;

    for (int i = 0; i < NETWORK_RULE_MAX; i++) {
        struct net_rule *r = &n->rules[i];
        if (r->used && r->port == port) {
            r->faults = *faults;
            return;
        }
        if (!r->used && !free_rule) free_rule = r;
    }
    must(free_rule);
    *free_rule = (struct net_rule){.port = port, .used = true, .faults = *faults};
}

static void calm(struct network_faults *f)
{
    struct network_way *ways[2] = {&f->up, &f->down};

    for (int i = 0; i < 2; i++) {
        *ways[i] = (struct network_way){.latency_us = ways[i]->latency_us, .jitter_us = ways[i]->jitter_us};
    }
    f->refuse_ppm = f->reset_ppm = f->half_open_ppm = f->late_ppm = 0;
}

void network_calm(struct network *n)
{
    for (int i = 0; i < NETWORK_RULE_MAX; i++) calm(&n->rules[i].faults);
    for (uint32_t i = 0; i < n->link_cap; i++) calm(&n->links[i].faults);
}

int64_t network_now_us(const struct network *n) { return n->now_us; }

bool network_wants_turn(const struct loop *loop)
{
    const struct net_loop *l = (const struct net_loop *)loop;

    return l->woken || l->ready.count || l->dirty.count || l->again.count || l->ended.count ||
           l->accepts.count || l->hook_due_us <= l->network->now_us;
}

int64_t network_next_us(const struct network *n)
{
    int64_t next_us = n->event_count ? n->events[1].at_us : LOOP_NEVER;

    for (uint32_t i = 0; i < NETWORK_LOOP_MAX; i++) {
        if (!n->loops[i]) continue;
        if (network_wants_turn(&n->loops[i]->loop)) return n->now_us;
        if (n->loops[i]->hook_due_us < next_us) next_us = n->loops[i]->hook_due_us;
    }
    return next_us < n->now_us ? n->now_us : next_us;
}

void network_advance(struct network *n, int64_t to_us)
{
    must(to_us >= n->now_us);
    n->now_us = to_us;
    for (uint32_t i = 0; i < NETWORK_LOOP_MAX; i++) {
        if (n->loops[i]) n->loops[i]->loop.now_us = to_us;
    }
    while (n->event_count && n->events[1].at_us <= to_us) {
        struct net_event event = event_pop(n);
        link_on_event(n, &event);
    }
}

bool network_step(struct network *n, int64_t until_us)
{
    int64_t next_us = network_next_us(n);

    if (next_us > until_us) {
        if (until_us > n->now_us) network_advance(n, until_us);
        return false;
    }
    network_advance(n, next_us);
    for (bool turned = true; turned;) {
        turned = false;
        for (uint32_t i = 0; i < NETWORK_LOOP_MAX; i++) {
            if (!n->loops[i] || !network_wants_turn(&n->loops[i]->loop)) continue;
            must(loop_turn(&n->loops[i]->loop, 0).code == ERR_OK);
            turned = true;
        }
    }
    return true;
}

void network_run(struct network *n, int64_t until_us)
{
    while (network_step(n, until_us)) { }
}

uint64_t network_fault_count(const struct network *n, enum network_fault fault) { return n->faults[fault]; }
uint64_t network_hash(const struct network *n) { return n->hash; }
uint32_t network_link_count(const struct network *n) { return n->link_count; }

void network_at(struct network *n, int64_t at_us, enum event_kind_of_network kind, uint32_t link,
                uint8_t side)
{
    event_push(n, (struct net_event){.at_us = at_us, .kind = (uint8_t)kind, .link = link, .side = side,
                                     .serial = n->links[link].serial});
}

void network_at_deadline(struct net_loop *l, int64_t at_ms, uint64_t conn)
{
    event_push(l->network, (struct net_event){.at_us = at_ms * 1000, .kind = ON_DEADLINE, .link = l->index,
                                              .serial = l->serial, .arg = conn});
}

const struct network_faults *network_rule(const struct network *n, uint16_t port)
{
    static const struct network_faults perfect;
    const struct network_faults *found = &perfect;

    for (int i = 0; i < NETWORK_RULE_MAX; i++) {
        if (!n->rules[i].used) continue;
        if (n->rules[i].port == port) return &n->rules[i].faults;
        if (n->rules[i].port == 0) found = &n->rules[i].faults;
    }
    return found;
}

struct net_loop *network_listener_of(struct network *n, uint16_t port, uint8_t *listener)
{
    for (uint32_t i = 0; i < NETWORK_LOOP_MAX; i++) {
        for (uint8_t at = 0; n->loops[i] && at < LOOP_LISTENER_MAX; at++) {
            if (!n->loops[i]->listeners[at].listening || n->loops[i]->listeners[at].port != port) continue;
            *listener = at;
            return n->loops[i];
        }
    }
    return NULL;
}

void *network_grow(void *at, size_t size)
{
    void *grown = realloc(at, size);

    must(grown);
    return grown;
}

static bool event_before(const struct net_event *a, const struct net_event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void event_push(struct network *n, struct net_event event)
{
    event.order = ++n->order;
    if (event.at_us < n->now_us) event.at_us = n->now_us;
    if (n->event_count + 2 > n->event_cap) {
        n->event_cap = n->event_cap ? n->event_cap * 2 : 256;
        n->events = network_grow(n->events, n->event_cap * sizeof *n->events);
    }
    uint32_t at = ++n->event_count;
    for (; at > 1 && event_before(&event, &n->events[at / 2]); at /= 2) n->events[at] = n->events[at / 2];
    n->events[at] = event;
}

static struct net_event event_pop(struct network *n)
{
    struct net_event first = n->events[1], last = n->events[n->event_count--];
    uint32_t at = 1;

    for (uint32_t child = 2; child <= n->event_count; at = child, child *= 2) {
        if (child < n->event_count && event_before(&n->events[child + 1], &n->events[child])) child++;
        if (!event_before(&n->events[child], &last)) break;
        n->events[at] = n->events[child];
    }
    n->events[at] = last;
    return first;
}
