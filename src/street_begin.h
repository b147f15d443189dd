/* SPDX-License-Identifier: Apache-2.0 */
/* street_begin.h: what the street shows before the first fact of a process: what the engine holds, and of the rides that
 * left memory those that may have ended today.
 *
 * Thread  before the threads begin */
#ifndef STREET_BEGIN_H
#define STREET_BEGIN_H

#include "store/recover.h"
#include "street/street.h"

/* A table that cannot be read makes the day's counts start at nothing; everything else says so loudly enough. */
void street_begin(struct street *street, struct recovered *recovered);

#endif
