/* SPDX-License-Identifier: Apache-2.0 */
/* crc32c.h: the Castagnoli checksum, by instruction where the processor has one.
 *
 * Pure    the processor is asked what it can, nothing else
 * Use     crc32c(crc32c(0, a), b) is the checksum of a followed by b; it finds damage, not malice */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include "base/bytes.h"

uint32_t crc32c(uint32_t crc, struct bytes in);
/* The same answer by table, for every machine; apart so that a test can hold the two together. */
uint32_t crc32c_portable(uint32_t crc, struct bytes in);

#endif
