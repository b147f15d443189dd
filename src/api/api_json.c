/* SPDX-License-Identifier: Apache-2.0 */
/* api_json.c: see api_json.h. */
#include "api/api_json.h"

#include <string.h>

#include "base/must.h"
#include "proto/codec.h"

static void put_name(const struct field *f, struct json *j)
{
    char name[48];
    size_t len = strlen(f->name);
    if (f->type == FIELD_E7 && len > 3 && len < sizeof name && memcmp(f->name + len - 3, "_e7", 3) == 0) {
        memcpy(name, f->name, len - 3);
        name[len - 3] = 0;
        json_name(j, name);
    } else {
        json_name(j, f->type == FIELD_UUID && strcmp(f->name, "uuid") == 0 ? "id" : f->name);
    }
}

static void put_value(const struct field *f, const void *row, struct json *j)
{
    const void *at = (const uint8_t *)row + f->offset;
    struct uuid uuid;
    int64_t v;
    switch (f->type) {
    case FIELD_UUID:
        memcpy(&uuid, at, sizeof uuid);
        if (uuid_zero(uuid)) json_null(j);
        else json_uuid(j, uuid.at);
        return;
    case FIELD_TEXT4:
    case FIELD_TEXT16:
    case FIELD_TEXT32:
    case FIELD_TEXT64: json_text(j, text_bytes(at)); return;
    default: v = field_number(f, row);
    }
    switch (f->type) {
    case FIELD_BOOL: json_bool(j, v != 0); break;
    case FIELD_E7: json_decimal(j, v, 7); break;
    case FIELD_U64: json_u64(j, (uint64_t)v); break;
    case FIELD_TIME:
        if (v) json_i64(j, v);
        else json_null(j);
        break;
    case FIELD_ENUM:
        if (v < f->names->count && f->names->names[v]) json_literal(j, f->names->names[v]);
        else json_null(j);
        break;
    default: json_i64(j, v);
    }
}

static bool shown(const struct field *f, enum field_sight sight)
{
    return f->sight != SIGHT_PRIVATE && f->sight >= (uint8_t)sight;
}

void api_json_fields(const struct shape *shape, const void *row, enum field_sight sight, struct json *j)
{
    for (unsigned i = 0; i < shape->count; i++) {
        if (!shown(&shape->fields[i], sight)) continue;
        put_name(&shape->fields[i], j);
        put_value(&shape->fields[i], row, j);
    }
}

void api_json_ride(const struct ride *ride, enum field_sight sight, struct json *j)
{
    json_open(j, '{');
    api_json_fields(&row_shapes[ROW_RIDE], ride, sight, j);
    json_name(j, "refusal");
    if (ride->refusal) json_literal(j, err_name(ride->refusal));
    else json_null(j);
    json_close(j, '}');
}

void api_json_rider(const struct rider *rider, enum field_sight sight, struct json *j)
{
    json_open(j, '{');
    api_json_fields(&row_shapes[ROW_RIDER], rider, sight, j);
    json_name(j, "has_ride");
    json_bool(j, rider->ride_id != 0);
    json_close(j, '}');
}

void api_json_command(const struct command *command, enum field_sight sight, struct json *j)
{
    json_open(j, '{');
    api_json_fields(&row_shapes[ROW_COMMAND], command, sight, j);
    json_close(j, '}');
}

static void put_protocol(uint8_t protocol, struct json *j)
{
    const struct codec *codec = codec_by_protocol(protocol);
    json_name(j, "protocol");
    if (codec) json_literal(j, codec->name);
    else json_null(j);
}

/* A device that never reported a position is not in the Gulf of Guinea, nor is one without a battery report empty. */
static bool reported(const struct device *d, const struct field *f)
{
    if (f->type == FIELD_E7) return d->has_fix;
    return f->offset != offsetof(struct device, battery_pct) || d->has_battery;
}

static void put_device(const struct device *d, enum field_sight sight, struct json *j)
{
    const struct shape *shape = &row_shapes[ROW_DEVICE];
    json_open(j, '{');
    for (unsigned i = 0; i < shape->count; i++) {
        const struct field *f = &shape->fields[i];
        if (!shown(f, sight)) continue;
        if (f->offset == offsetof(struct device, protocol)) {
            put_protocol(d->protocol, j);
            continue;
        }
        put_name(f, j);
        if (reported(d, f)) put_value(f, d, j);
        else json_null(j);
    }
    json_name(j, "connected");
    json_bool(j, d->session != 0);
    json_close(j, '}');
}

void api_json_vehicle(const struct vehicle *vehicle, const struct device *device, enum field_sight sight,
                      struct json *j)
{
    json_open(j, '{');
    api_json_fields(&row_shapes[ROW_VEHICLE], vehicle, sight, j);
    json_name(j, "device");
    if (device && device->id) put_device(device, sight, j);
    else json_null(j);
    json_close(j, '}');
}

void api_json_quarantine(const struct quarantine *q, enum field_sight sight, struct json *j)
{
    const struct shape *shape = &row_shapes[ROW_QUARANTINE];
    json_open(j, '{');
    put_protocol(q->protocol, j);
    for (unsigned i = 0; i < shape->count; i++) {
        const struct field *f = &shape->fields[i];
        if (!shown(f, sight) || f->offset == offsetof(struct quarantine, protocol)) continue;
        put_name(f, j);
        put_value(f, q, j);
    }
    json_close(j, '}');
}

void api_json_event(const struct event *event, enum field_sight sight, struct json *j)
{
    char id[40];
    struct buf b = buf_on(id, sizeof id);
    api_put_event_id(&b, event->seq, event->part);
    json_open(j, '{');
    api_json_fields(&event_shape, event, sight, j);
    json_name(j, "id");
    json_text(j, buf_bytes(&b));
    json_close(j, '}');
}

void api_json_receipt(const struct ride *ride, struct json *j)
{
    json_open(j, '{');
    json_name(j, "ride_id");
    json_uuid(j, ride->uuid.at);
    json_name(j, "vehicle_code");
    json_text(j, text_bytes(&ride->vehicle_code));
    json_name(j, "currency");
    json_text(j, text_bytes(&ride->currency));
    json_name(j, "started_ms");
    json_i64(j, ride->started_ms);
    json_name(j, "ended_ms");
    json_i64(j, ride->ended_ms);
    json_name(j, "minutes");
    json_u64(j, ride->minutes);
    json_name(j, "lines");
    json_open(j, '[');
    json_open(j, '{');
    json_name(j, "what");
    json_literal(j, "unlock");
    json_name(j, "minor");
    json_i64(j, ride->unlock_minor);
    json_close(j, '}');
    json_open(j, '{');
    json_name(j, "what");
    json_literal(j, "minutes");
    json_name(j, "count");
    json_u64(j, ride->minutes);
    json_name(j, "each_minor");
    json_i64(j, ride->minute_minor);
    json_name(j, "minor");
    json_i64(j, ride->minute_minor * ride->minutes);
    json_close(j, '}');
    json_close(j, ']');
    json_name(j, "total_minor");
    json_i64(j, ride->charge_minor);
    json_close(j, '}');
}

void api_put_event_id(struct buf *b, uint64_t seq, uint32_t part)
{
    buf_put_u64(b, seq);
    buf_put_char(b, '.');
    buf_put_u64(b, part);
}
