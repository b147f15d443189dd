/* SPDX-License-Identifier: Apache-2.0 */
/* staff_cmd.h: `paddock staff`: make staff, change and list them, on a data directory; the server may run. Thread main. */
#ifndef API_STAFF_CMD_H
#define API_STAFF_CMD_H

/* 0 done, 1 refused, 2 bad usage, 3 the database cannot be used. */
int staff_main(int argc, char **argv);

#endif
