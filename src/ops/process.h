/* SPDX-License-Identifier: Apache-2.0 */
/* process.h: what the process and its disk look like from outside, as Prometheus text: memory, descriptors, start, free room.
 * Names without our prefix are those that every exporter uses. Thread any. */
#ifndef OPS_PROCESS_H
#define OPS_PROCESS_H

#include "base/buf.h"

/* `dir` is the data directory. What cannot be read is left out. */
void process_metrics(const char *dir, struct buf *out);

#endif
