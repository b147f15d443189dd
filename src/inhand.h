/* SPDX-License-Identifier: Apache-2.0 */
/* inhand.h: DATA/inhand, a mapped page that holds the fact being applied, so that a fact which stops the process is
 * known at the next start and refused once instead of stopping it again.
 *
 * Layout  0 magic "PDHAND01" · 8 state u32 (0 idle, 1 applying, 2 stopped the process) · 12 length u32 · 16 seq u64 ·
 *         24 the fact's encoding
 * A kill leaves state 1: the fact is innocent and nobody was told of it. Only a fatal signal on the thread that applies
 * it writes 2.
 * Thread  the engine's, and its signal handler */
#ifndef INHAND_H
#define INHAND_H

#include "engine/fact.h"
#include "store/file.h"

#define INHAND_FILE "inhand"
#define INHAND_BYTES 4096

struct inhand {
    const struct file_system *fs;
    struct file file;
    uint8_t *page; /* NULL when closed */
};

/* Opens or makes the page. `refused` gets the fact that stopped the last process and its seq, kind 0 when there is none;
 * the page is idle afterwards. */
MUST_USE struct err inhand_open(struct inhand *h, const struct file_system *fs, struct fact *refused, uint64_t *seq);
void inhand_close(struct inhand *h);
void inhand_hold(struct inhand *h, uint64_t seq, struct bytes fact);
void inhand_release(struct inhand *h);
/* Async-signal-safe: applying becomes stopped. */
void inhand_crashed(struct inhand *h);

#endif
