/* SPDX-License-Identifier: Apache-2.0 */
/* point.h: places on Earth and how far apart they are, in integers.
 *
 * Units   degrees x 10^7 in int32 (_e7), metres (_m)
 * Limits  the distance uses a plane at the mean latitude: within 0.1 % up to 100 km outside the polar circles, which is
 *         what boundaries and movement need; it is not a geodesic
 * Pure */
#ifndef GEO_POINT_H
#define GEO_POINT_H

#include <stdbool.h>
#include <stdint.h>

#define LAT_E7_MAX 900000000
#define LON_E7_MAX 1800000000

struct point { int32_t lat_e7, lon_e7; };

bool point_valid(struct point p);
/* Distance in centimetres; the shorter way across the 180th meridian. */
int64_t point_distance_cm(struct point a, struct point b);
/* cos(latitude) scaled by 2^16, by linear steps of one degree. */
int32_t point_cos_q16(int32_t lat_e7);
/* Floor of the square root. */
uint64_t int_sqrt(uint64_t v);

#endif
