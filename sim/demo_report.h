/* SPDX-License-Identifier: Apache-2.0 */
/* demo_report.h: what the demo leaves in files: DIR/demo.json for those who want to talk to its server,
 * and the report. Both are one JSON object, and appear whole or not at all.
 * Thread  main */
#ifndef SIM_DEMO_REPORT_H
#define SIM_DEMO_REPORT_H

#include "sim/demo_city.h"
#include "sim/demo_server.h"

enum { DEMO_REPORT_MAX = 1 << 20 };

MUST_USE struct err demo_report_addresses(const struct demo_figures *f, const struct demo_tokens *tokens,
                                          pid_t server);

/* `check`: exit code of `paddock check`, -1 not run. `ended`: the server ended in order. */
struct demo_ending { int check; bool ended; int64_t started_ms; const char *broken; struct bytes who; };
MUST_USE struct err demo_report_write(const char *path, const struct demo_figures *f,
                                      const struct demo_city *c, const struct demo_ending *ending);

#endif
