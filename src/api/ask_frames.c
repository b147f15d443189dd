/* SPDX-License-Identifier: Apache-2.0 */
/* ask_frames.c: the bytes that a vehicle said and was told, from the tape that the gateway writes. The engine says which
 * device is on the vehicle; the frames never went through it. */
#include <stdlib.h>

#include "api/api_inside.h"
#include "api/ask.h"
#include "net/tape.h"

enum { FRAME_JSON_MAX = 6 * TAPE_BYTES_MAX + 2 * TAPE_BYTES_MAX + 200, PAGE_JSON_MAX = 256 };

/* clang-format off */
static const char *const direction_texts[] = {"in", "out"};
static const struct enum_names direction_names = {"direction", direction_texts, 2};
static const struct member frame_members[] = {
    {"at_ms", MEMBER_TIME, 0, NULL, NULL, "when the server read or wrote it"},
    {"direction", MEMBER_TERM, 0, &direction_names, NULL, "in: the vehicle said it; out: it was told"},
    {"seq", MEMBER_WHOLE, MEMBER_NULL, NULL, NULL, "out: the fact behind it, on disk before it left"},
    {"refused", MEMBER_BOOL, 0, NULL, NULL, "it was no frame of its protocol"},
    {"len", MEMBER_WHOLE, 0, NULL, NULL, "its bytes; more than are shown here: it was cut"},
    {"text", MEMBER_TEXT, 0, NULL, NULL, "as text, secrets as x, what is not printable as a dot"},
    {"hex", MEMBER_TEXT, 0, NULL, NULL, "every byte, as two digits each"},
};
static const struct schema schema_frame = {"Frame", "Bytes between a vehicle and the server", NULL,
                                           SCHEMA_MEMBERS(frame_members), true};
static const struct member frames[] = PAGE_OF("frames", &schema_frame, "newest first");
const struct schema page_frames = {"FramePage", "A page of frames", NULL, SCHEMA_MEMBERS(frames), true};
/* clang-format on */

void ask_vehicle_frames(struct call *call)
{
    struct query query = {.kind = QUERY_VEHICLE};
    const struct arg *since = args_get(&call->args, "since_ms"), *until = args_get(&call->args, "until_ms");
    text_clip(&query.code, args_get(&call->args, "code")->text);
    struct pending *p = call_query(call, &query, ANSWER_FRAMES);
    if (!p) return;
    p->job = (struct desk_job){.after = args_get(&call->args, "before")->cursor, .limit = call_limit(call)};
    p->since_ms = since->given ? since->number : INT64_MIN;
    p->until_ms = until->given ? until->number : INT64_MAX;
}

static void put_frame(const struct tape_entry *e, struct json *j)
{
    struct bytes kept = bytes_of(e->bytes, e->len < TAPE_BYTES_MAX ? e->len : TAPE_BYTES_MAX);
    char text[TAPE_BYTES_MAX], hex[2 * TAPE_BYTES_MAX];
    struct buf b = buf_on(hex, sizeof hex);
    for (size_t i = 0; i < kept.len; i++) text[i] = kept.at[i] < 0x20 || kept.at[i] > 0x7e ? '.' : (char)kept.at[i];
    buf_put_hex(&b, kept);
    json_open(j, '{');
    json_name(j, "at_ms");
    json_i64(j, e->at_ms);
    json_name(j, "direction");
    json_literal(j, direction_texts[e->flags & TAPE_OUT ? 1 : 0]);
    json_name(j, "seq");
    if (e->seq) json_u64(j, e->seq);
    else json_null(j);
    json_name(j, "refused");
    json_bool(j, e->flags & TAPE_REFUSED);
    json_name(j, "len");
    json_u64(j, e->len);
    json_name(j, "text");
    json_text(j, bytes_of(text, kept.len));
    json_name(j, "hex");
    json_text(j, buf_bytes(&b));
    json_close(j, '}');
}

void api_send_frames(struct api *api, struct pending *p, const struct device *device, uint64_t seq)
{
    struct tape_entry *entries = malloc(p->job.limit * sizeof *entries);
    size_t room = p->job.limit * FRAME_JSON_MAX + PAGE_JSON_MAX;
    uint8_t *memory = malloc(room), name[DEVICE_NAME_MAX];
    uint32_t count = 0;
    bool more = false;
    if (entries && memory && device->id) {
        count = tape_read(api->config.tape, device_name(device->protocol, &device->ident, name), p->job.after, p->since_ms,
                          p->until_ms, entries, p->job.limit, &more);
    }
    if (entries && memory) {
        struct buf b = buf_on(memory, room), cursor;
        struct json j = json_on(&b);
        char digits[24];
        json_open(&j, '{');
        json_name(&j, "frames");
        json_open(&j, '[');
        for (uint32_t i = 0; i < count; i++) put_frame(&entries[i], &j);
        json_close(&j, ']');
        json_name(&j, "next");
        cursor = buf_on(digits, sizeof digits);
        if (more) buf_put_u64(&cursor, entries[count - 1].number);
        if (more) json_text(&j, buf_bytes(&cursor));
        else json_null(&j);
        json_name(&j, "as_of_seq");
        json_u64(&j, seq);
        json_close(&j, '}');
        out_json(api, &p->client, 200, buf_bytes(&b));
    } else {
        out_problem(api, &p->client, ERR(FULL, "no memory for the answer"));
    }
    free(entries);
    free(memory);
    api_release(api, p);
}
