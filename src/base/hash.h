/* SPDX-License-Identifier: Apache-2.0 */
/* hash.h: a keyed hash (SipHash-2-4) for everything that needs one: maps over hostile keys, checksums of effects,
 * the state hash, and the engine's random numbers (hash of a counter under a secret seed). Pure.
 *
 * Source  Aumasson and Bernstein, SipHash: a fast short-input PRF (2012); checked with the paper's vector */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/bytes.h"

struct hash_key { uint64_t k0, k1; };

uint64_t hash_bytes(struct hash_key key, struct bytes in);
/* Mixes one number into a running sum; order matters. For fixed-width values on hot paths. */
uint64_t hash_mix(uint64_t sum, uint64_t value);

#endif
