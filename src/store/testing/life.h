/* SPDX-License-Identifier: Apache-2.0 */
/* life.h: the engine tests' town lives some thousand facts, and a data directory takes part in it as a
 * node's would: for tests of whatever stands on such a directory. Test support only; one life a process. */
#ifndef STORE_TESTING_LIFE_H
#define STORE_TESTING_LIFE_H

#include "engine/testing/town.h"
#include "store/recover.h"

#define LIFE_FACTS 3000u
#define LIFE_BUILD 0x1234u
#define LIFE_BATCH 50u
#define LIFE_SEGMENT_BYTES (64u << 10)

extern struct town *life; /* its facts and their effects' checksums */

void life_begin(void);
void life_end(void);
/* Options for a directory that takes part; the caller adds what its test is about. */
struct recover_options life_options(const struct data_dir *dir);
/* Applies facts up to `until`: each batch is committed, a synced or unsynced cut follows every `cut_every`
 * batches (0: never). Errors come back at once: a disk may fail. */
MUST_USE struct err life_go(struct recovered *r, uint64_t until, unsigned cut_every);
/* The state hash of an engine that lived to `seq` without a stop. */
uint64_t life_hash(uint64_t seq);
/* Writes all that is left in the keeper as a last, synced cut. */
MUST_USE struct err life_flush(struct recovered *r);
/* A sum over every column of every row of every table but meta. */
uint64_t life_tables_sum(struct recovered *r);

#endif
