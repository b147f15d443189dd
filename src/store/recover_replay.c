/* SPDX-License-Identifier: Apache-2.0 */
/* recover_replay.c: the journal's facts through the engine again, and what they change into the tables. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "store/recover_inside.h"

_Static_assert(RECOVER_BATCH_FACTS <= ENGINE_BATCH_MAX, "the engine's change stream is drained often enough");

/* Of the tables' clock while replaying: cuts are due by size only, and the first after it by time. */
#define REPLAY_MS 0
/* The newest batch of the journal is made sure only when the walk is over: until then no cut may hold
 * it. */
#define UNSURE_FACTS ENGINE_BATCH_MAX

struct replay {
    struct recovered *r;
    const struct recover_options *o;
    struct effects effects;
    uint32_t in_batch;
    bool stopped; /* at until_seq or until_ms */
};

static struct err on_record(void *ctx, const struct journal_record *record);
static struct err end_batch(struct replay *p);
static struct err turn_keeper(struct recovered *r, uint64_t committed_seq);

void recover_say(struct recovered *r, const char *format, ...)
{
    size_t len = 0;
    while (len < sizeof r->text && r->text[len]) len++;
    va_list args;
    va_start(args, format);
    vsnprintf(r->text + len, sizeof r->text - len, format, args);
    va_end(args);
}

static void tell(struct recovered *r, struct err e)
{
    const struct journal_report *j = &r->journal_report;
    if (e.code) {
        if (j->text[0] && !r->differing) recover_say(r, "%s", j->text);
        return;
    }
    uint64_t last = engine_seq(r->engine);
    if (!last) return;
    static const char *const froms[] = {"?", "the tables", "a base", "the beginning"};
    recover_say(r, "State of %s at fact %llu, %llu replayed, now at fact %llu.", froms[r->from],
                (unsigned long long)r->from_seq, (unsigned long long)r->replayed, (unsigned long long)last);
    if (j->torn_bytes) recover_say(r, " %s", j->text);
    if (r->differing) {
        recover_say(r, " %llu facts had other effects than recorded, the first is fact %llu of build %016llx.",
                    (unsigned long long)r->differing, (unsigned long long)r->first_differing_seq,
                    (unsigned long long)r->first_differing_build);
    }
}

struct err recover_replay(struct recovered *r, const struct recover_options *o)
{
    struct replay p = {.r = r, .o = o};
    p.effects.cap = EFFECTS_PER_FACT_MAX;
    p.effects.at = malloc(p.effects.cap * sizeof *p.effects.at);
    if (!p.effects.at) return ERR(FULL, "no memory to replay");
    struct journal_options options = o->journal;
    options.mode = o->read_only ? JOURNAL_READ_ONLY : JOURNAL_WRITE;
    struct err e = journal_open(&r->journal, o->dir.fs, DATA_JOURNAL, &options, r->from_seq, on_record, &p,
                                &r->journal_report);
    if (p.stopped) e = NO_ERR;
    if (!e.code) e = end_batch(&p);
    if (!e.code) e = turn_keeper(r, engine_seq(r->engine));
    if (o->read_only) {
        journal_close(r->journal);
        r->journal = NULL;
    }
    free(p.effects.at);
    tell(r, e);
    return e;
}

static struct err compare_effects(struct replay *p, const struct journal_record *record)
{
    struct recovered *r = p->r;
    uint64_t sum = engine_record_sum(r->engine, &p->effects);
    if (sum == record->effects_sum) return NO_ERR;
    if (!r->differing++) {
        r->first_differing_seq = record->seq;
        r->first_differing_build = record->build;
        r->first_differing_want = record->effects_sum;
        r->first_differing_got = sum;
    }
    if (p->o->accept_other_effects) return NO_ERR;
    recover_say(r, "Fact %llu, written by build %016llx, has other effects in this build (%016llx, recorded %016llx). ",
                (unsigned long long)record->seq, (unsigned long long)record->build,
                (unsigned long long)sum, (unsigned long long)record->effects_sum);
    bool same = record->build == p->o->build;
    recover_say(r, same ? "The same build: damaged data, or an engine that is not deterministic. Run paddock check."
                        : "Start the build that wrote it, or accept it: --set replay.accept_other_effects=true.");
    return ERR(STATE, "a fact has other effects than recorded");
}

static struct err on_record(void *ctx, const struct journal_record *record)
{
    struct replay *p = ctx;
    const struct recover_options *o = p->o;
    if ((o->until_seq && record->seq > o->until_seq) || (o->until_ms && record->time_ms > o->until_ms)) {
        p->stopped = true;
        return ERR(STATE, "far enough");
    }
    struct fact fact;
    struct err e = fact_decode(record->payload, &fact);
    if (e.code) {
        recover_say(p->r, "Fact %llu, written by build %016llx, is not one that this build knows: %s."
                          " Start that build or a later one. ",
                    (unsigned long long)record->seq, (unsigned long long)record->build, e.why);
        return ERR(UNSUPPORTED, "a fact that this build does not know");
    }
    fact.now_ms = record->time_ms;
    p->effects.count = 0;
    engine_step(p->r->engine, record->seq, &fact, &p->effects);
    p->r->replayed++;
    if (o->on_fact) o->on_fact(o->ctx, record, &fact, &p->effects);
    TRY(compare_effects(p, record));
    for (uint32_t i = 0; p->r->keeper && i < p->effects.count; i++) {
        if (p->effects.at[i].kind == EFFECT_EVENT) TRY(keeper_add_event(p->r->keeper, &p->effects.at[i].event));
    }
    return ++p->in_batch == RECOVER_BATCH_FACTS ? end_batch(p) : NO_ERR;
}

struct keeping { struct keeper *keeper; struct err e; };

static void keep_change(void *ctx, enum row_kind kind, const void *row, bool gone)
{
    struct keeping *k = ctx;
    if (!k->e.code) k->e = keeper_add_row(k->keeper, kind, row, gone);
}

static struct err end_batch(struct replay *p)
{
    struct recovered *r = p->r;
    struct keeping k = {r->keeper, NO_ERR};
    engine_drain_changes(r->engine, r->keeper ? keep_change : NULL, &k);
    TRY(k.e);
    uint64_t seq = engine_seq(r->engine);
    if (r->keeper && p->in_batch) {
        keeper_end_batch(r->keeper, seq, REPLAY_MS);
        (void)keeper_hand_over(r->keeper, REPLAY_MS, KEEPER_WHEN_DUE);
        TRY(turn_keeper(r, seq > UNSURE_FACTS ? seq - UNSURE_FACTS : 0));
    }
    p->in_batch = 0;
    if (p->o->on_progress) p->o->on_progress(p->o->ctx, r->engine, seq);
    return NO_ERR;
}

static struct err turn_keeper(struct recovered *r, uint64_t committed_seq)
{
    if (!r->keeper || !keeper_busy(r->keeper)) return NO_ERR;
    struct keeper_turned turned;
    struct err e = keeper_turn(r->keeper, committed_seq, REPLAY_MS, &turned);
    if (e.code) recover_say(r, "%s. ", keeper_text(r->keeper));
    return e;
}
