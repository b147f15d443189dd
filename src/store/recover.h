/* SPDX-License-Identifier: Apache-2.0 */
/* recover.h: from a data directory to a running engine: tables at cut S, then facts S+1 and on from the
 * journal.
 *
 * What    what serve, the simulator, check and replay share. Each fact's effects are compared with the
 *         checksum that its record carries; the state hash with the one that the tables carry.
 * Tables  missing or damaged: the newest base takes their place, or an empty engine when the journal begins
 *         with fact 1; they are moved aside as tables.db.damaged (never deleted), rebuilt, and the report
 *         says so. With no such start: CORRUPT.
 * Builds  a fact with other effects than its record says: STATE, with the first seq and the build that wrote it;
 *         with accept_other_effects it is counted and goes on.
 * Owner   the caller, until recovered_close(); then the engine's memory is gone too
 * Thread  the one that starts; afterwards engine, tables and journal go to their threads */
#ifndef STORE_RECOVER_H
#define STORE_RECOVER_H

#include "engine/engine.h"
#include "store/data.h"
#include "store/journal.h"
#include "store/keeper.h"

#define RECOVER_TEXT_MAX 640u
#define RECOVER_BATCH_FACTS 256u /* facts between two looks at the change stream */

enum recover_from {
    RECOVER_BEST,   /* tables, else a base, else the beginning */
    RECOVER_TABLES, /* tables or nothing */
    RECOVER_BASE,   /* the longest replay: fact 1 if it is there, else the oldest base that is still followed */
    RECOVER_START,  /* fact 1 or nothing */
};

struct recover_options {
    struct data_dir dir;
    enum recover_from from;
    bool read_only;                       /* nothing in the directory changes: check and replay */
    bool accept_other_effects;
    uint64_t build;                       /* of this process */
    const struct engine_limits *limits;   /* NULL: defaults */
    struct journal_options journal;       /* mode is set by read_only */
    struct keeper_options keeper;
    uint64_t until_seq;                   /* read_only: stop behind this fact; 0 = the end */
    int64_t until_ms;                     /* read_only: stop behind this time; 0 = the end */
    /* Called every RECOVER_BATCH_FACTS facts; NULL: nobody. For progress, and for comparing on the way. */
    void (*on_progress)(void *ctx, const struct engine *engine, uint64_t seq);
    /* Called for every record after its fact was applied; NULL: nobody. */
    void (*on_fact)(void *ctx, const struct journal_record *record, const struct fact *fact,
                    const struct effects *effects);
    void *ctx;
};

struct recovered {
    struct engine *engine;
    struct tables tables;     /* open for writing; not opened when read_only */
    struct keeper *keeper;    /* NULL when read_only; what the replay changed is written, or still in it */
    struct journal *journal;  /* ready to append; NULL when read_only */
    struct journal_report journal_report;
    enum recover_from from;   /* where it really began: TABLES, BASE or START */
    bool rebuilt;             /* tables were missing or damaged */
    uint64_t from_seq;        /* the cut S */
    uint64_t seq;             /* last fact applied */
    int64_t now_ms;           /* its time */
    uint64_t replayed;
    uint64_t state_hash_checked; /* seq at which a stored state hash agreed; 0 = none was stored for S */
    uint64_t differing;       /* facts whose effects differ from the record's ... */
    uint64_t first_differing_seq, first_differing_build;
    uint64_t first_differing_want, first_differing_got;
    char text[RECOVER_TEXT_MAX]; /* what happened, for the log; on error the reason, with what to do */
    void *memory;
    size_t memory_len;
};

/* `out` is filled either way; on error close it as well. */
MUST_USE struct err recover_open(struct recovered *out, const struct recover_options *options);
/* Ends engine, keeper, tables, journal, in an order that loses nothing; writes nothing. */
void recovered_close(struct recovered *r);

#endif
