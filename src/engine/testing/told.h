/* SPDX-License-Identifier: Apache-2.0 */
/* told.h: everything that the last fact told the world, as lines that a test can compare and a person can read:
 *
 *     order unlock/1 key 77 in 15000 ms
 *     ride riding of 3
 *     command unlock done: confirmed for ride
 *     S1 on_trip: trip_start
 *
 * A time after `in` is how long an order may be delivered. People are the third byte of their account: 3 and 4 the
 * riders, 9 the staff. Test support only. */
#ifndef ENGINE_TESTING_TOLD_H
#define ENGINE_TESTING_TOLD_H

#include "engine/testing/town.h"

/* Good until the next call. */
const char *told(const struct town *t);

#endif
