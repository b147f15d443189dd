/* SPDX-License-Identifier: Apache-2.0 */
/* coverage.h: which rows of the transition tables and which faults a set of worlds exercised, as a table for people, and
 * how many never. */
#ifndef SIM_COVERAGE_H
#define SIM_COVERAGE_H

#include <stdio.h>

#include "sim/world.h"

void coverage_add(struct world_figures *sum, const struct world_figures *one);
/* Prints the whole table (`all`) or only what was never exercised. Returns how many rows were not. */
unsigned coverage_print(FILE *out, const struct world_figures *sum, bool all);

#endif
