/* SPDX-License-Identifier: Apache-2.0 */
/* serve.h: `paddock serve`: one node, on one screen in serve.c. argv[0] is the subcommand's name.
 * Exit  0 orderly end · 1 the reason stands on stderr · 2 bad usage */
#ifndef SERVE_H
#define SERVE_H

int serve_main(int argc, char **argv);

#endif
