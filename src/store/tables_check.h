/* SPDX-License-Identifier: Apache-2.0 */
/* tables_check.h: is what stands in the tables possible at all? For `paddock check`.
 *
 * What    SQLite's own integrity check, every row decoded, and the books: the postings of each ride and
 *         currency sum to zero, a ride is charged once and what it says it cost, a rider owes what was
 *         posted, no charge without a vehicle's confirmation, one open ride per vehicle and rider.
 * Owner   the connection's thread; read only */
#ifndef STORE_TABLES_CHECK_H
#define STORE_TABLES_CHECK_H

#include "store/tables.h"

#define TABLES_CHECK_PER_RULE_MAX 10u /* problems told of one rule; the rest is counted */

struct tables_figures {
    uint64_t rows[ROW_N], events;
    uint64_t rides_charged;
    int64_t charged_minor;  /* over all currencies: a figure to compare, not an amount of money */
    uint64_t problems;
};

struct tables_checker {
    void (*problem)(void *ctx, const char *text);
    void (*progress)(void *ctx, const char *table, uint64_t rows); /* every 65,536 rows; may be NULL */
    void *ctx;
};

/* An error means that it could not be checked; what is broken is in figures->problems. */
MUST_USE struct err tables_check(struct tables *t, const struct tables_checker *checker,
                                 struct tables_figures *figures);

#endif
