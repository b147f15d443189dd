/* SPDX-License-Identifier: Apache-2.0 */
/* journal_walk.c: the verdict on what a journal's folder holds: whole, torn at its end, or damaged.
 *
 * At the first place where no record follows (seq s, segment n):
 *   a segment n+1 exists     it must begin with s and continue the chain, else damage
 *   the mark covers s        damage: s was synced once
 *   a good record of a       damage: that batch was written only after s had been synced
 *   later batch lies behind
 *   otherwise                the end; what lies behind of batch s was never promised: a torn tail
 * A live writer may be writing just there, so a verdict of damage looks at the place a second time. */
#include "store/journal_impl.h"

static struct err walk_segment(struct journal_cursor *c, uint64_t from_seq,
                               journal_on_record *on_record, void *ctx,
                               struct journal_report *report);
static struct err walk_judge(struct journal_cursor *c, const struct journal_listing *listing,
                             size_t index, uint64_t mark_seq, uint64_t looked, bool *again,
                             struct journal_report *report);
static struct err walk_damage(const struct journal_cursor *c, struct journal_report *report,
                              const char *proof, uint64_t proof_seq);

struct err journal_walk(struct journal_cursor *c, const struct journal_mark *mark,
                        struct journal_listing *listing, const struct journal_options *options,
                        uint64_t from_seq, journal_on_record *on_record, void *ctx,
                        struct journal_report *report)
{
    size_t index;
    bool again;
    uint64_t mark_seq;
    TRY(journal_listing_find(listing, from_seq, &index, report));
    if (options->verify_all) index = 0;
    if (!journal_mark_read(mark->slots, listing->segments[0].header.salt, &mark_seq)) mark_seq = 0;
    for (; index < listing->count; index++) {
        uint64_t looked;
        TRY(journal_cursor_enter(c, &listing->segments[index].header));
        do {
            looked = c->offset;
            TRY(walk_segment(c, from_seq, on_record, ctx, report));
            TRY(walk_judge(c, listing, index, mark_seq, looked, &again, report));
        } while (again);
    }
    report->last_seq = c->next_seq - 1;
    report->last_time_ms = c->time_ms;
    report->last_crc = c->prev_crc;
    if (from_seq != JOURNAL_FROM_END && report->last_seq < from_seq) {
        journal_say(report->text, "the journal %s ends at seq %llu, before the tables (%llu)",
                    c->folder, (unsigned long long)report->last_seq, (unsigned long long)from_seq);
        return ERR(CORRUPT, "the journal ends before the tables do");
    }
    return NO_ERR;
}

static struct err walk_segment(struct journal_cursor *c, uint64_t from_seq,
                               journal_on_record *on_record, void *ctx,
                               struct journal_report *report)
{
    struct journal_record record;
    for (;;) {
        struct err e = journal_cursor_next(c, &record);
        if (e.code == ERR_MALFORMED) return NO_ERR;
        if (e.code) {
            journal_say_file(report->text, c->folder, JOURNAL_NAME_SEGMENT, c->header.number, e);
            return e;
        }
        if (record.seq <= from_seq) continue;
        report->records++;
        if (on_record) TRY(on_record(ctx, &record));
    }
}

static struct err walk_judge(struct journal_cursor *c, const struct journal_listing *listing,
                             size_t index, uint64_t mark_seq, uint64_t looked, bool *again,
                             struct journal_report *report)
{
    struct journal_behind behind = {0};
    const char *proof = NULL;
    uint64_t proof_seq = 0;
    if (index + 1 < listing->count) {
        const struct journal_header *next = &listing->segments[index + 1].header;
        if (next->first_seq == c->next_seq && next->prev_crc == c->prev_crc) {
            *again = false;
            return NO_ERR;
        }
        proof = "the next segment begins with";
        proof_seq = next->first_seq;
    } else if (mark_seq >= c->next_seq) {
        proof = "the commit mark (file " JOURNAL_MARK_NAME ") covers";
        proof_seq = mark_seq;
    } else {
        TRY(journal_cursor_behind(c, &behind));
        proof = behind.proof_seq ? "behind it, synced later, lies" : NULL;
        proof_seq = behind.proof_seq;
    }
    *again = proof && c->offset != looked;
    if (*again) { /* the walk came here by itself: once more, freshly read */
        journal_cursor_forget(c);
        return NO_ERR;
    }
    if (proof) return walk_damage(c, report, proof, proof_seq);
    report->torn_bytes = behind.torn_end - c->offset;
    if (!report->torn_bytes) return NO_ERR;
    report->bad_segment = c->header.number;
    report->bad_offset = c->offset;
    report->bad_seq = c->next_seq;
    journal_say(report->text,
                "journal %s/%016llx.seg: torn tail of %llu bytes at offset %llu, seq %llu: never "
                "promised to anyone",
                c->folder, (unsigned long long)c->header.number,
                (unsigned long long)report->torn_bytes, (unsigned long long)c->offset,
                (unsigned long long)c->next_seq);
    return NO_ERR;
}

static struct err walk_damage(const struct journal_cursor *c, struct journal_report *report,
                              const char *proof, uint64_t proof_seq)
{
    report->bad_segment = c->header.number;
    report->bad_offset = c->offset;
    report->bad_seq = c->next_seq;
    journal_say(report->text,
                "journal %s/%016llx.seg: damaged at offset %llu: seq %llu is not there or not "
                "whole, but %s seq %llu",
                c->folder, (unsigned long long)c->header.number, (unsigned long long)c->offset,
                (unsigned long long)c->next_seq, proof, (unsigned long long)proof_seq);
    return ERR(CORRUPT, "the journal is damaged before its end");
}
