/* SPDX-License-Identifier: Apache-2.0 */
/* demo_board.h: the demo's figures as a board for a terminal, or as lines for anything else.
 *
 * Drawing is a function of figures and style, so that tests can look at it. Nothing is ever wider than
 * `cols` or higher than `rows`: what does not fit is left out, the news first.
 * Owner   struct demo_screen: open/close
 * Thread  main */
#ifndef SIM_DEMO_BOARD_H
#define SIM_DEMO_BOARD_H

#include "base/buf.h"
#include "sim/demo_figures.h"

enum { DEMO_COLS_MAX = 160, DEMO_ROWS_MAX = 60, DEMO_BOARD_MAX = DEMO_COLS_MAX * DEMO_ROWS_MAX * 8,
       DEMO_DRAW_MS = 250, DEMO_LINE_MS = 5000 };

struct demo_style {
    uint16_t cols, rows;
    bool colour, utf8;    /* colour: without it no escape changes the look */
};

/* The whole board, to be written over the one before. */
void demo_board_draw(const struct demo_figures *f, const struct demo_style *style, struct buf *out);
/* The figures in one line, with its end. */
void demo_board_line(const struct demo_figures *f, struct buf *out);
/* What to know before and after, some lines. */
void demo_board_hello(const struct demo_figures *f, struct buf *out);
void demo_board_goodbye(const struct demo_figures *f, struct buf *out);

/* 90500 us: "90.5 ms". 1234 tenths: "123.4". */
void demo_put_us(struct buf *b, uint64_t us);
void demo_put_tenths(struct buf *b, uint64_t tenths);
void demo_put_took(struct buf *b, int64_t ms); /* 151000: "2m 31s" */

struct demo_screen {
    bool terminal;          /* redrawn in place; else lines */
    struct demo_style style;
    int64_t next_ms;
    uint64_t news_told;     /* lines: news that matter are told as they come */
};

/* Looks at stdout, TERM, NO_COLOR and the locale. */
void demo_screen_open(struct demo_screen *s);
void demo_screen_close(struct demo_screen *s);
/* Draws when it is time. */
void demo_screen_turn(struct demo_screen *s, const struct demo_figures *f);
/* From a signal handler: gives the terminal back. */
void demo_screen_restore(void);

#endif
