/* SPDX-License-Identifier: Apache-2.0 */
/* api_json.h: rows and events as the API shows them, from their field tables.
 *
 * `uuid` is shown as "id"; TIME as whole ms since 1970, null when not set; `x_e7` as "x" in decimal degrees; enums by
 * name; what is unset (zero UUID, nameless enum) as null. What `sight` may not see is left out.
 * base/field.h has a generic writer for tools; these are the words of the public interface.
 * Thread  any */
#ifndef API_API_JSON_H
#define API_API_JSON_H

#include "engine/effect.h"

/* Members of an open object. */
void api_json_fields(const struct shape *shape, const void *row, enum field_sight sight, struct json *j);

/* Whole objects. */
void api_json_ride(const struct ride *ride, enum field_sight sight, struct json *j);
void api_json_rider(const struct rider *rider, enum field_sight sight, struct json *j);
void api_json_command(const struct command *command, enum field_sight sight, struct json *j);
void api_json_vehicle(const struct vehicle *vehicle, const struct device *device, enum field_sight sight,
                      struct json *j);
void api_json_quarantine(const struct quarantine *q, enum field_sight sight, struct json *j);
void api_json_event(const struct event *event, enum field_sight sight, struct json *j);
void api_json_receipt(const struct ride *ride, struct json *j);

/* "5012.3": fact and place, for Last-Event-ID and timelines. */
void api_put_event_id(struct buf *b, uint64_t seq, uint32_t part);

#endif
