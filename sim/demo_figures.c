/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/demo_figures.h"

#include <stdarg.h>
#include <stdio.h>

void demo_tell(struct demo_figures *f, enum demo_tone tone, const char *format, ...)
{
    struct demo_news *n = &f->news[f->news_count++ % DEMO_NEWS_MAX];
    va_list args;

    n->local_ms = f->local_ms;
    n->tone = tone;
    va_start(args, format);
    vsnprintf(n->text, sizeof n->text, format, args);
    va_end(args);
}

const struct demo_news *demo_latest(const struct demo_figures *f, uint32_t nth)
{
    if (nth >= f->news_count || nth >= DEMO_NEWS_MAX) return NULL;
    return &f->news[(f->news_count - 1 - nth) % DEMO_NEWS_MAX];
}
