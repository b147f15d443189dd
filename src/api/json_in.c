/* SPDX-License-Identifier: Apache-2.0 */
/* json_in.c: see json_in.h. */
#include "api/json_in.h"

#include <jansson.h>

void json_in_seed(uint32_t seed)
{
    json_object_seed(seed ? seed : 1); /* 0 would ask the clock */
}

/* Counts nesting and values without understanding them: outside of texts, each value but the first of its list or
 * object has a comma before it. */
static struct err measure(struct bytes text)
{
    unsigned depth = 0, values = 1;
    bool in_text = false;
    if (text.len > JSON_IN_BYTES_MAX) return ERR(TOO_LARGE, "the body is too long");
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
        if (depth > JSON_IN_DEPTH_MAX) return ERR(TOO_LARGE, "the body is nested too deep");
        if (values > JSON_IN_VALUES_MAX) return ERR(TOO_LARGE, "the body has too many values");
    }
    return NO_ERR;
}

struct err json_in_parse(struct bytes text, struct json_in **out)
{
    *out = NULL;
    TRY(measure(text));
    json_t *root = json_loadb((const char *)text.at, text.len, JSON_REJECT_DUPLICATES, NULL);
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

bool json_in_get(const struct json_in *doc, const char *name, struct json_in_value *out)
{
    const json_t *v = json_object_get((const json_t *)doc, name);
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

void json_in_names(const struct json_in *doc, void (*fn)(void *ctx, const char *name), void *ctx)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)doc, name, value) fn(ctx, name);
}
