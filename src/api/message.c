/* SPDX-License-Identifier: Apache-2.0 */
/* message.c: see message.h. */
#include "api/message.h"

#include <stdlib.h>

#include "base/must.h"

static const char *const template_texts[MESSAGE_TEMPLATE_N] = {
#define X(no, NAME, name, doc) [no] = #name,
    MESSAGE_TEMPLATE_LIST(X)
#undef X
};
const struct enum_names message_template_names = {"message_template", template_texts, MESSAGE_TEMPLATE_N};

/* What is known of a message that left: who waits for its outcome is only the counter. */
struct under_way {
    uint32_t generation;  /* odd: taken */
    int64_t deadline_ms;
};

struct messages {
    struct message_way way;
    struct message_counters counters;
    struct under_way at[MESSAGES_MAX];
    uint32_t next;
    int64_t due_ms;       /* the earliest deadline is not before it */
};

static uint64_t ticket_of(const struct messages *ms, uint32_t slot)
{
    return (uint64_t)ms->at[slot].generation << 32 | slot;
}

struct err messages_create(const struct message_way *way, struct messages **out)
{
    struct messages *ms = calloc(1, sizeof *ms);
    if (!ms) return ERR(IO, "no memory");
    if (way) ms->way = *way;
    ms->due_ms = INT64_MAX;
    *out = ms;
    return NO_ERR;
}

static void let_go(struct messages *ms, uint32_t slot)
{
    ms->at[slot].generation++;
    ms->counters.under_way--;
}

static void drop(struct messages *ms, uint32_t slot)
{
    if (ms->way.drop) ms->way.drop(ms->way.ctx, ticket_of(ms, slot));
    let_go(ms, slot);
}

static void drop_all(struct messages *ms)
{
    for (uint32_t i = 0; i < MESSAGES_MAX; i++) {
        if (ms->at[i].generation & 1) drop(ms, i);
    }
}

void messages_destroy(struct messages *ms)
{
    if (!ms) return;
    drop_all(ms);
    free(ms);
}

bool messages_have_way(const struct messages *ms)
{
    return ms->way.name != NULL;
}

void messages_set_way(struct messages *ms, const struct message_way *way)
{
    drop_all(ms);
    ms->way = way ? *way : (struct message_way){0};
}

/* A free place; MESSAGES_MAX when there is none. */
static uint32_t place(struct messages *ms)
{
    for (uint32_t tried = 0; tried < MESSAGES_MAX; tried++) {
        uint32_t slot = ms->next;
        ms->next = (ms->next + 1) % MESSAGES_MAX;
        if (!(ms->at[slot].generation & 1)) return slot;
    }
    return MESSAGES_MAX;
}

struct err message_send(struct messages *ms, const struct message_ask *message, int64_t now_ms)
{
    must(message->template && message->template < MESSAGE_TEMPLATE_N && message->param_count <= MESSAGE_PARAMS_MAX);
    ms->counters.asked++;
    if (!ms->way.name) {
        ms->counters.no_way++;
        return ERR(UNSUPPORTED, "this server has no way to send messages: declare a message.send hook, or try it with "
                                "demo.mode=true");
    }
    uint32_t slot = place(ms);
    if (slot == MESSAGES_MAX) {
        ms->counters.full++;
        return ERR(FULL, "too many messages under way");
    }
    struct message_ask timed = *message;
    timed.deadline_ms = now_ms + MESSAGE_DEADLINE_MS;
    ms->at[slot].generation++;
    ms->at[slot].deadline_ms = timed.deadline_ms;
    if (timed.deadline_ms < ms->due_ms) ms->due_ms = timed.deadline_ms;
    ms->counters.under_way++;
    uint64_t ticket = ticket_of(ms, slot);
    struct err e = ms->way.send(ms->way.ctx, ms, ticket, &timed);
    if (e.code && ticket == ticket_of(ms, slot)) {
        let_go(ms, slot);
        ms->counters.outcomes[MESSAGE_REFUSED]++;
    }
    return e;
}

void message_done(struct messages *ms, uint64_t ticket, enum message_outcome outcome)
{
    uint32_t slot = (uint32_t)ticket;
    must(outcome > 0 && outcome < MESSAGE_OUTCOME_N);
    if (slot >= MESSAGES_MAX || ticket_of(ms, slot) != ticket || !(ms->at[slot].generation & 1)) {
        ms->counters.late++;
        return;
    }
    ms->counters.outcomes[outcome]++;
    let_go(ms, slot);
}

int64_t messages_turn(struct messages *ms, int64_t now_ms)
{
    if (now_ms < ms->due_ms) return ms->due_ms;
    ms->due_ms = INT64_MAX;
    for (uint32_t i = 0; i < MESSAGES_MAX; i++) {
        if (!(ms->at[i].generation & 1)) continue;
        if (ms->at[i].deadline_ms <= now_ms) {
            drop(ms, i);
            ms->counters.timed_out++;
        } else if (ms->at[i].deadline_ms < ms->due_ms) {
            ms->due_ms = ms->at[i].deadline_ms;
        }
    }
    return ms->due_ms;
}

const struct message_counters *messages_counters(const struct messages *ms)
{
    return &ms->counters;
}
