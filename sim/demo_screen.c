/* SPDX-License-Identifier: Apache-2.0 */
/* demo_screen.c: where the board goes: a terminal, in place, on its second page; or lines, where there
 * is none. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "sim/demo_board.h"

#define SECOND_PAGE "\x1b[?1049h\x1b[?25l\x1b[2J"
#define FIRST_PAGE "\x1b[0m\x1b[?25h\x1b[?1049l"

static volatile bool on_second_page;

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void write_all(const void *at, size_t len)
{
    const char *from = at;
    while (len) {
        ssize_t n = write(STDOUT_FILENO, from, len);
        if (n <= 0) return; /* nobody looks any more */
        from += n;
        len -= (size_t)n;
    }
}

static bool speaks_utf8(void)
{
    const char *names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (int i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

static void look_at_size(struct demo_screen *s)
{
    struct winsize size;
    uint16_t cols = 80, rows = 24;

    if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col && size.ws_row) {
        cols = size.ws_col;
        rows = size.ws_row;
    }
    s->style.cols = cols < DEMO_COLS_MAX ? cols : DEMO_COLS_MAX;
    s->style.rows = rows < DEMO_ROWS_MAX ? rows : DEMO_ROWS_MAX;
}

void demo_screen_open(struct demo_screen *s)
{
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");

    *s = (struct demo_screen){0};
    s->terminal = isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
    s->style.colour = !(no_colour && *no_colour);
    s->style.utf8 = speaks_utf8();
    if (!s->terminal) return;
    on_second_page = true;
    write_all(SECOND_PAGE, sizeof SECOND_PAGE - 1);
}

void demo_screen_restore(void)
{
    if (!on_second_page) return;
    on_second_page = false;
    (void)!write(STDOUT_FILENO, FIRST_PAGE, sizeof FIRST_PAGE - 1);
}

void demo_screen_close(struct demo_screen *s)
{
    demo_screen_restore();
    s->terminal = false;
}

/* Without a board what went wrong would go unsaid between two lines. */
static void tell_news(struct demo_screen *s, const struct demo_figures *f, struct buf *b)
{
    uint64_t left = f->news_count - s->news_told;

    for (uint64_t i = left < DEMO_NEWS_MAX ? left : DEMO_NEWS_MAX; i-- > 0;) {
        const struct demo_news *n = demo_latest(f, (uint32_t)i);
        if (!n || n->tone != DEMO_BAD) continue;
        buf_put_text(b, "        ");
        buf_put_text(b, n->text);
        buf_put_char(b, '\n');
    }
    s->news_told = f->news_count;
}

void demo_screen_turn(struct demo_screen *s, const struct demo_figures *f)
{
    static uint8_t text[DEMO_BOARD_MAX];
    struct buf b = buf_on(text, sizeof text);
    int64_t ms = now_ms();

    if (s->terminal) {
        if (ms < s->next_ms) return;
        look_at_size(s);
        demo_board_draw(f, &s->style, &b);
        s->next_ms = ms + DEMO_DRAW_MS;
    } else {
        tell_news(s, f, &b);
        if (ms >= s->next_ms && f->declared && f->listed) {
            demo_board_line(f, &b);
            s->next_ms = ms + DEMO_LINE_MS;
        }
    }
    write_all(b.at, b.len);
}
