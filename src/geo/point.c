/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/point.h"

/* cos(0..90 degrees) x 65536, rounded; a step of one degree keeps the straight line between within 0.004 %. */
static const int32_t cos_q16[91] = {
    65536, 65526, 65496, 65446, 65376, 65287, 65177, 65048, 64898, 64729, 64540, 64332, 64104,
    63856, 63589, 63303, 62997, 62672, 62328, 61966, 61584, 61183, 60764, 60326, 59870, 59396,
    58903, 58393, 57865, 57319, 56756, 56175, 55578, 54963, 54332, 53684, 53020, 52339, 51643,
    50931, 50203, 49461, 48703, 47930, 47143, 46341, 45525, 44695, 43852, 42995, 42126, 41243,
    40348, 39441, 38521, 37590, 36647, 35693, 34729, 33754, 32768, 31772, 30767, 29753, 28729,
    27697, 26656, 25607, 24550, 23486, 22415, 21336, 20252, 19161, 18064, 16962, 15855, 14742,
    13626, 12505, 11380, 10252, 9121, 7987, 6850, 5712, 4572, 3430, 2287, 1144, 0,
};

/* A degree of a great circle is 111,194.93 m on the sphere of 6,371,008.8 m: 10^7 units are 11,119,493 cm. */
#define CM_PER_DEGREE 11119493

bool point_valid(struct point p)
{
    return p.lat_e7 >= -LAT_E7_MAX && p.lat_e7 <= LAT_E7_MAX && p.lon_e7 >= -LON_E7_MAX && p.lon_e7 <= LON_E7_MAX;
}

int32_t point_cos_q16(int32_t lat_e7)
{
    int64_t lat = lat_e7 < 0 ? -(int64_t)lat_e7 : lat_e7;
    if (lat >= LAT_E7_MAX) return 0;
    int64_t whole = lat / 10000000, rest = lat % 10000000;
    return (int32_t)(cos_q16[whole] + (cos_q16[whole + 1] - cos_q16[whole]) * rest / 10000000);
}

uint64_t int_sqrt(uint64_t v)
{
    uint64_t root = 0, bit = v ? (uint64_t)1 << ((63 - __builtin_clzll(v)) & ~1) : 0;
    for (; bit; bit >>= 2) {
        if (v >= root + bit) {
            v -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return root;
}

int64_t point_distance_cm(struct point a, struct point b)
{
    int64_t dlat = (int64_t)b.lat_e7 - a.lat_e7, dlon = (int64_t)b.lon_e7 - a.lon_e7;
    if (dlon > LON_E7_MAX) dlon -= 2 * (int64_t)LON_E7_MAX;
    if (dlon < -LON_E7_MAX) dlon += 2 * (int64_t)LON_E7_MAX;
    int32_t middle = (int32_t)(((int64_t)a.lat_e7 + b.lat_e7) / 2);
    int64_t y_cm = dlat * CM_PER_DEGREE / 10000000;
    int64_t x_cm = dlon * CM_PER_DEGREE / 10000000 * point_cos_q16(middle) / 65536;
    return (int64_t)int_sqrt((uint64_t)(x_cm * x_cm + y_cm * y_cm));
}
