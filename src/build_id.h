/* SPDX-License-Identifier: Apache-2.0 */
/* build_id.h: which build this is: the commit it was made from, for records, /metrics and `paddock --version`. */
#ifndef BUILD_ID_H
#define BUILD_ID_H

#include <stdint.h>

extern const char *const paddock_version;    /* "0.1.0" */
extern const char *const paddock_build_text; /* first 16 hex digits of the commit; zeros outside a checkout */
extern const uint64_t paddock_build;         /* the same as a number */

#endif
