/* SPDX-License-Identifier: Apache-2.0 */
/* token_cmd.h: `paddock token`: makes, lists and revokes tokens in a data directory, while the server runs or not.
 * argv[0] is the subcommand's name. Exit codes as in ops/offline.h: 0 fine, 1 refused, 2 bad usage, 3 could not run.
 * Thread main */
#ifndef API_TOKEN_CMD_H
#define API_TOKEN_CMD_H

int token_main(int argc, char **argv);

#endif
