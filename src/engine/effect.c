/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/effect.h"

#include <string.h>

#include "base/hash.h"
#include "base/must.h"

#define FIELD_OWNER struct event
static const struct field event_fields[] = {EVENT_FIELDS(FIELD_ROW)};
const struct shape event_shape = {"event", event_fields, sizeof event_fields / sizeof *event_fields,
                                  sizeof(struct event), "a published consequence of facts"};

void effects_begin_fact(struct effects *effects)
{
    must(effects->cap - effects->count >= EFFECTS_PER_FACT_MAX);
    effects->sum = 0;
    effects->parts = 0;
}

struct effect *effects_add(struct effects *effects, enum effect_kind kind)
{
    must(effects->count < effects->cap);
    struct effect *e = &effects->at[effects->count++];
    memset(e, 0, sizeof *e);
    e->kind = (uint8_t)kind;
    return e;
}

void effects_added(struct effects *effects, const struct effect *e)
{
    uint64_t sum = hash_mix(effects->sum, e->kind);
    switch (e->kind) {
    case EFFECT_ORDER:
        sum = hash_mix(hash_mix(sum, e->order.session), e->order.command_id);
        sum = hash_mix(sum, (uint64_t)e->order.op << 8 | e->order.step);
        sum = hash_mix(hash_mix(sum, (uint64_t)e->order.user << 32 | e->order.stamp), (uint64_t)e->order.value << 32 | e->order.key);
        sum = hash_mix(sum, (uint64_t)e->order.deadline_ms);
        break;
    case EFFECT_HANG_UP:
        sum = hash_mix(sum, e->hang_up.session);
        break;
    case EFFECT_REPLY:
        sum = hash_mix(hash_mix(sum, e->reply.code), (uint64_t)e->reply.again << 8 | e->reply.subject_kind);
        sum = hash_mix(hash_mix(sum, e->reply.subject_id), load_u64(e->reply.subject.at));
        break;
    case EFFECT_EVENT:
        sum = field_hash(&event_shape, &e->event, sum);
        break;
    case EFFECT_ASK:
        sum = hash_mix(hash_mix(sum, load_u64(e->ask.id.at)), load_u64(e->ask.ride.at));
        sum = hash_mix(hash_mix(sum, load_u64(e->ask.rider.at)), (uint64_t)e->ask.deadline_ms);
        break;
    default:
        must(!"an effect of no kind");
    }
    effects->sum = sum;
}
