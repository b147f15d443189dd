/* SPDX-License-Identifier: Apache-2.0 */
/* apply.h: `paddock apply FILE --server URL --token T`: makes a server declare what a file says, over HTTP.
 *
 *     file ─► whole and checked ─► what the server has now ─► the difference ─► PUTs, a kind after the other
 *
 * What may stand in the file follows from the route table: a member of the file for each kind, in it the members of that
 * kind's PUT; for a password, or a secret that the server makes, where it is or goes. Nothing is sent before the whole
 * file is found right. Saying it again changes nothing, so it may be interrupted and repeated; it removes nothing.
 * Thread  one */
#ifndef OPS_APPLY_H
#define OPS_APPLY_H

enum apply_exit {
    APPLY_DONE = 0,     /* the server is as the file says; with --dry-run: the difference was told */
    APPLY_REFUSED = 1,  /* the server refused something, or could not be asked */
    APPLY_USAGE = 2,
    APPLY_FAULTY = 3,   /* the file is wrong: nothing was sent */
    APPLY_DIFFERS = 4,  /* --dry-run --exit-code: there is something to do */
};

int apply_main(int argc, char **argv);

#endif
