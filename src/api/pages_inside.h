/* SPDX-License-Identifier: Apache-2.0 */
/* pages_inside.h: what pages.c (answers) and pages_read.c (the folder) share. Nobody else includes this. */
#ifndef API_PAGES_INSIDE_H
#define API_PAGES_INSIDE_H

#include "api/pages.h"

enum page_coding { PAGE_PLAIN, PAGE_GZIP, PAGE_BROTLI, PAGE_CODING_N };

struct page {
    char path[PAGES_PATH_MAX];              /* as requests name it; ends with a NUL */
    const char *type;
    bool immutable;                         /* below an assets folder: its name changes with its content */
    struct bytes body[PAGE_CODING_N];       /* .at NULL: not there in this coding */
    uint64_t sum;                           /* of the plain body, for the ETag */
};

struct pages {
    struct page *at;                        /* sorted by path */
    unsigned count, cap;
    size_t bytes;
    char policy[512];                       /* Content-Security-Policy */
};

/* Reads all of `dir` into `p`, sorted. */
MUST_USE struct err pages_read(struct pages *p, const char *dir);
/* The page of exactly this path, or NULL. */
const struct page *pages_at(const struct pages *p, struct bytes path);

#endif
