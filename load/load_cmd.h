/* SPDX-License-Identifier: Apache-2.0 */
/* load_cmd.h: `paddock load`: many vehicles against a server of one's own, and how long its answers take. */
#ifndef LOAD_LOAD_CMD_H
#define LOAD_LOAD_CMD_H

/* 0: everything was acknowledged and is kept; 1: something was not; 2: bad usage; 3: it could not begin. */
int load_main(int argc, char **argv);

#endif
