/* SPDX-License-Identifier: Apache-2.0 */
/* json_in.c: see json_in.h. */
#include "api/json_in.h"

#include <jansson.h>

#include "base/buf.h"

void json_in_seed(uint32_t seed)
{
    json_object_seed(seed ? seed : 1); /* 0 would ask the clock */
}

/* Counts nesting and values without understanding them: outside of texts, each value but the first of its list or
 * object has a comma before it. */
static struct err measure(struct bytes text, const struct json_in_limits *limits)
{
    unsigned depth = 0;
    size_t values = 1;
    bool in_text = false;
    if (text.len > limits->bytes_max) return ERR(TOO_LARGE, "the body is too long");
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        if (in_text) {
            if (c == '\\') i++;
            else if (c == '"') in_text = false;
            continue;
        }
        if (c == '"') in_text = true;
        if (c == ',' || c == '[' || c == '{') values++;
        if (c == '[' || c == '{') depth++;
        if ((c == ']' || c == '}') && depth) depth--;
        if (depth > limits->depth_max) return ERR(TOO_LARGE, "the body is nested too deep");
        if (values > limits->values_max) return ERR(TOO_LARGE, "the body has too many values");
    }
    return NO_ERR;
}

struct err json_in_parse(struct bytes text, struct json_in **out)
{
    static const struct json_in_limits limits = {JSON_IN_BYTES_MAX, JSON_IN_VALUES_MAX, JSON_IN_DEPTH_MAX};
    return json_in_parse_within(text, &limits, out, NULL);
}

static void put_place(const json_error_t *error, struct json_in_place *place)
{
    struct buf b = buf_on(place->text, sizeof place->text - 1);
    size_t len = 0;
    while (error->text[len] && len < sizeof place->text - 1) len++;
    buf_put(&b, error->text, len);
    place->text[b.len] = 0;
    place->line = error->line;
    place->column = error->column;
}

struct err json_in_parse_within(struct bytes text, const struct json_in_limits *limits, struct json_in **out,
                                struct json_in_place *place)
{
    json_error_t error;
    *out = NULL;
    if (place) *place = (struct json_in_place){.line = 0};
    TRY(measure(text, limits));
    json_t *root = json_loadb((const char *)text.at, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!root && place) put_place(&error, place);
    if (!root) return ERR(MALFORMED, "the body is not valid JSON");
    if (!json_is_object(root)) {
        json_decref(root);
        return ERR(MALFORMED, "the body is not a JSON object");
    }
    *out = (struct json_in *)root;
    return NO_ERR;
}

void json_in_free(struct json_in *doc)
{
    json_decref((json_t *)doc);
}

static bool value_of(const json_t *v, struct json_in_value *out)
{
    if (!v) return false;
    *out = (struct json_in_value){.kind = JSON_IN_NULL};
    switch (json_typeof(v)) {
    case JSON_OBJECT: out->kind = JSON_IN_OBJECT; break;
    case JSON_ARRAY: out->kind = JSON_IN_LIST; break;
    case JSON_STRING:
        out->kind = JSON_IN_TEXT;
        out->text = bytes_of(json_string_value(v), json_string_length(v));
        break;
    case JSON_INTEGER:
        out->kind = JSON_IN_INTEGER;
        out->number = json_integer_value(v);
        break;
    case JSON_REAL:
        out->kind = JSON_IN_REAL;
        out->real = json_real_value(v);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        out->kind = JSON_IN_BOOL;
        out->number = json_is_true(v);
        break;
    case JSON_NULL: break;
    }
    return true;
}

bool json_in_get(const struct json_in *doc, const char *name, struct json_in_value *out)
{
    return value_of(json_object_get((const json_t *)doc, name), out);
}

static const struct json_in *object_or_null(const json_t *v)
{
    return json_is_object(v) ? (const struct json_in *)v : NULL;
}

const struct json_in *json_in_object(const struct json_in *doc, const char *name)
{
    return object_or_null(json_object_get((const json_t *)doc, name));
}

size_t json_in_count(const struct json_in *doc, const char *list)
{
    return json_array_size(json_object_get((const json_t *)doc, list));
}

const struct json_in *json_in_item(const struct json_in *doc, const char *list, size_t i)
{
    return object_or_null(json_array_get(json_object_get((const json_t *)doc, list), i));
}

bool json_in_item_value(const struct json_in *doc, const char *list, size_t i, struct json_in_value *out)
{
    return value_of(json_array_get(json_object_get((const json_t *)doc, list), i), out);
}

void json_in_names(const struct json_in *doc, void (*fn)(void *ctx, const char *name), void *ctx)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)doc, name, value) fn(ctx, name);
}
