/* SPDX-License-Identifier: Apache-2.0 */
/* recover_inside.h: what recover.c and recover_replay.c share. Nobody else includes it. */
#ifndef STORE_RECOVER_INSIDE_H
#define STORE_RECOVER_INSIDE_H

#include "store/recover.h"

/* Adds a sentence to r->text. */
__attribute__((format(printf, 2, 3))) void recover_say(struct recovered *r, const char *format, ...);
/* Applies what the journal holds behind r->from_seq; opens it for appending unless read_only. */
MUST_USE struct err recover_replay(struct recovered *r, const struct recover_options *o);

#endif
