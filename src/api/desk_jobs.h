/* SPDX-License-Identifier: Apache-2.0 */
/* desk_jobs.h: one read of the tables, start to end. Inside the desk only. Thread the worker's. */
#ifndef API_DESK_JOBS_H
#define API_DESK_JOBS_H

#include "api/desk.h"

struct desk_tables {
    struct desk_options options;
    struct tables own;
    bool open;
};

void desk_tables_init(struct desk_tables *t, const struct desk_options *options);
void desk_tables_fini(struct desk_tables *t);
/* Fills in all of `out`. */
void desk_do(struct desk_tables *t, const struct desk_job *job, struct desk_result *out);

#endif
