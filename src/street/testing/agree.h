/* SPDX-License-Identifier: Apache-2.0 */
/* agree.h: does a snapshot of the street say what the engine says? For tests and the simulator's judge. */
#ifndef STREET_TESTING_AGREE_H
#define STREET_TESTING_AGREE_H

#include "engine/engine.h"
#include "street/snapshot.h"

#define STREET_WHY_MAX 200

/* Both as of one fact. False: `why` names the first vehicle or count that differs. */
bool street_agrees(const struct snapshot *snapshot, const struct engine *engine, char why[STREET_WHY_MAX]);

#endif
