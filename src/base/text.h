/* SPDX-License-Identifier: Apache-2.0 */
/* text.h: short texts that live inside their owner: a length byte and room for N bytes, no NUL.
 * All three sizes read the same through text_bytes(); unused room is zero, so rows hash alike. Pure. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/bytes.h"

struct text4  { uint8_t len; char at[3]; };   /* currency, vendor tag */
struct text16 { uint8_t len; char at[15]; };  /* public codes */
struct text32 { uint8_t len; char at[31]; };  /* names of things */
struct text64 { uint8_t len; char at[64]; };  /* device ids: up to 64 bytes */

/* Any of the above, by address. */
struct bytes text_bytes(const void *text);
/* Copies, or returns TOO_LARGE and leaves `text` empty. `room` is sizeof text->at. */
MUST_USE struct err text_set_room(void *text, size_t room, struct bytes from);
#define text_set(text, from) text_set_room((text), sizeof (text)->at, (from))
/* The same for what may lose its end: copies as much as fits. */
void text_clip_room(void *text, size_t room, struct bytes from);
#define text_clip(text, from) text_clip_room((text), sizeof (text)->at, (from))
bool text_equal(const void *a, const void *b);
bool text_is(const void *a, const char *b);

#endif
