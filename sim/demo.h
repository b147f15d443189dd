/* SPDX-License-Identifier: Apache-2.0 */
/* demo.h: `paddock demo`: a server as a child process, and a simulated city against it over real
 * sockets. argv[0] is the subcommand's name.
 *
 * Exit    as in ops/offline.h: 0 fine, 1 the server or a promise broke, 2 bad usage, 3 could not run
 * Thread  main */
#ifndef SIM_DEMO_H
#define SIM_DEMO_H

int demo_main(int argc, char **argv);

#endif
