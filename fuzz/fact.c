/* SPDX-License-Identifier: Apache-2.0 */
/* fact: bytes as facts of a journal, into an engine: whatever decodes may be applied.
 *
 * Input   a row of facts, each behind its length in two bytes; the first byte of each moves the clock
 * Holds   what decodes encodes to bytes that decode to the same; no fact stops the engine (its must()s are the oracle);
 *         every request is answered once; the effects stay within their room */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/must.h"
#include "engine/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FACTS_MAX 400

static const struct engine_limits small = {{
    [ROW_LEGAL_ENTITY] = 4, [ROW_CITY] = 4, [ROW_VEHICLE_TYPE] = 4, [ROW_PLAN] = 4, [ROW_VEHICLE] = 8, [ROW_PUBLIC_CODE] = 12,
    [ROW_DEVICE] = 8, [ROW_RIDER] = 8, [ROW_STAFF] = 4, [ROW_RIDE] = 8, [ROW_COMMAND] = 16, [ROW_ANSWER] = 16, [ROW_QUARANTINE] = 3,
}};

static void same_again(const struct fact *fact)
{
    uint8_t room[FACT_BYTES_MAX];
    struct buf b = buf_on(room, sizeof room);
    struct fact back;
    fact_encode(fact, &b);
    must(!b.full);
    must(!fact_decode(buf_bytes(&b), &back).code && back.kind == fact->kind);
    const struct shape *shape = fact_shape(fact->kind);
    must(field_hash(shape, &back.tick, 1) == field_hash(shape, &fact->tick, 1));
}

static void apply(struct engine *e, uint64_t *seq, struct fact *fact, struct effects *effects)
{
    unsigned replies = 0;
    effects->count = 0;
    engine_step(e, ++*seq, fact, effects);
    must(effects->count <= EFFECTS_PER_FACT_MAX);
    for (uint32_t i = 0; i < effects->count; i++) replies += effects->at[i].kind == EFFECT_REPLY;
    must(replies == (fact->kind >= 10 && fact->kind < 50));
    engine_drain_changes(e, NULL, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Fresh zero pages each time: an engine expects them, and the kernel gives only what is touched. */
    static size_t need;
    static struct effects effects;
    if (!need) {
        need = (engine_need(&small) + 63) & ~(size_t)63;
        effects.cap = 4 * EFFECTS_PER_FACT_MAX;
        effects.at = calloc(effects.cap, sizeof *effects.at);
    }
    void *memory = mmap(NULL, need, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    must(memory != MAP_FAILED && effects.at);
    struct engine *e = engine_init(memory, &small);
    uint64_t seq = 0;
    int64_t now_ms = 1790000000000;
    struct bytes in = {data, size}, one;
    for (unsigned n = 0; n < FACTS_MAX && in.len >= 3; n++) {
        now_ms += (int64_t)in.at[0] * in.at[0] * 20;
        size_t len = in.at[1] | (size_t)(in.at[2] & 1) << 8;
        in.at += 3;
        in.len -= 3;
        if (bytes_take(&in, len < in.len ? len : in.len, &one).code) break;
        struct fact fact;
        if (fact_decode(one, &fact).code) continue;
        same_again(&fact);
        fact.now_ms = now_ms;
        apply(e, &seq, &fact, &effects);
    }
    munmap(memory, need);
    return 0;
}
