/* SPDX-License-Identifier: Apache-2.0 */
/* offline.h: subcommands that work on a data directory without a server. argv[0] is the subcommand's name.
 *
 * Exit    0 fine · 1 something is broken or differs (the text says what to do) · 2 bad usage · 3 could not run
 * Thread  main */
#ifndef OPS_OFFLINE_H
#define OPS_OFFLINE_H

#include <stdint.h>

/* main() says first which build this is: replays compare with what records say. */
void offline_set_build(uint64_t build, const char *text);

enum { EXIT_FINE = 0, EXIT_BROKEN = 1, EXIT_USAGE = 2, EXIT_CANNOT = 3 };

int check_main(int argc, char **argv);
int replay_main(int argc, char **argv);
int backup_main(int argc, char **argv);

#endif
