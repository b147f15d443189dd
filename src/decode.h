/* SPDX-License-Identifier: Apache-2.0 */
/* decode.h: the subcommand `paddock decode PROTOCOL [FILE]`: captured frames in, JSON out. */
#ifndef DECODE_H
#define DECODE_H

/* argv[0] is the subcommand's name. Returns the exit status: 0, 1 when reading or writing fails, 2 for usage. */
int decode_main(int argc, char **argv);

#endif
