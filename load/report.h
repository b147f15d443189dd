/* SPDX-License-Identifier: Apache-2.0 */
/* report.h: what a load run found, as a table for people and as JSON for programs: the same figures. */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include "load/fleet.h"

struct load_checked {
    bool asked;                    /* positions were read back */
    uint32_t equal, other, missing; /* vehicles at the place that they said last; elsewhere; not in the list */
};

struct load_report {
    const struct fleet_options *options;
    const struct fleet_result *result;
    const struct load_checked *checked;
};

/* Everything sent was acknowledged, and every position is kept. */
bool report_is_clean(const struct load_report *r);
void report_table(const struct load_report *r, struct buf *out);
void report_json(const struct load_report *r, struct buf *out);

#endif
