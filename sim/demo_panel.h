/* SPDX-License-Identifier: Apache-2.0 */
/* demo_panel.h: a panel over the world of the demo, not over its server: an HTTP server of this process, on a port
 * of its own, with a page that people can use from the keyboard.
 *
 *     GET  /          the page           GET  /state     how the world stands
 *     GET  /codes     the latest codes that people of the demo were sent to sign in
 *     POST /district  {"lat","lon","radius_m","for_s"}: no network there, so long (seconds of the city)
 *     POST /mend      every cut ends     POST /lose-ack  {"vehicle"?}: the next lock report, or its answer, is lost
 *     POST /kill      kill -9 of the server; the demo starts it again
 *
 * Hostile other pages in the same browser: requests must name this host, answers may be read and requests sent by the
 *         demo's own pages only (Origin), besides tools that send no Origin
 * Limits  those of net/http.h, smaller
 * Owner   create/destroy; before the loop
 * Thread  the loop's */
#ifndef SIM_DEMO_PANEL_H
#define SIM_DEMO_PANEL_H

#include "sim/demo_city.h"

enum { DEMO_PANEL_CONNS_MAX = 32, DEMO_PANEL_BODY_MAX = 4096, DEMO_PANEL_REPLY_MAX = 65536, DEMO_PANEL_NEWS = 8 };
#define DEMO_CODES_FILE "demo_messages.json" /* in the data directory; see api/message_print.h */

struct demo_panel_config {
    struct loop *loop;
    uint32_t loop_conn_max;
    const struct demo_figures *figures;
    void *ctx;
    bool (*kill_server)(void *ctx);     /* false: it is not up */
};

struct demo_panel;

MUST_USE struct err demo_panel_create(const struct demo_panel_config *config, struct demo_panel **out);
void demo_panel_destroy(struct demo_panel *p); /* NULL is fine */
/* "127.0.0.1:PORT" */
void demo_panel_address(const struct demo_panel *p, struct text64 *out);
/* From now on there is a town; until then only the page answers. */
void demo_panel_city(struct demo_panel *p, struct demo_city *city);

/* The page's files; NULL when there is none at that path. */
struct demo_panel_file { const char *path, *content_type, *text; };
const struct demo_panel_file *demo_panel_file(struct bytes path);

#endif
