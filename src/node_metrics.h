/* SPDX-License-Identifier: Apache-2.0 */
/* node_metrics.h: the figures of the node, the gateway and its loop as Prometheus text.
 * Thread  node_metrics, street_metrics and trace_metrics any; gateway_metrics works on copies */
#ifndef NODE_METRICS_H
#define NODE_METRICS_H

#include "gateway/gateway.h"
#include "node.h"

void node_metrics(struct node *node, struct buf *out);
/* mono_us: now, on the clock that the street was given. */
void street_metrics(const struct street *street, int64_t mono_us, struct buf *out);
void gateway_metrics(const struct gateway_counters *gateway, const struct loop_counters *loop, struct buf *out);
/* Nothing when tracing is off. */
void trace_metrics(struct trace *trace, struct buf *out);

#endif
