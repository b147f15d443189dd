/* SPDX-License-Identifier: Apache-2.0 */
/* args.c: see args.h. */
#include "api/args.h"

#include "api/people.h"

#include <string.h>

#include "base/must.h"
#include "net/http_text.h"

static const char *check_text(const struct arg_row *row, struct bytes text, struct arg *arg);
static void read_path(struct args *a, const char *pattern, struct bytes path);
static void read_query(struct args *a, struct bytes query);
static struct err read_body(struct args *a, struct bytes body);
static void fault_bytes(struct args *a, struct bytes field, const char *why);
static const char *with_words(struct args *a, const struct arg_row *row, const char *why);
static void check_name(void *ctx, const char *name);

static void begin(struct args *a, const struct arg_row *rows, unsigned count)
{
    must(count <= ARGS_MAX);
    memset(a, 0, offsetof(struct args, memory));
    a->rows = rows;
    a->count = count;
    a->scratch = buf_on(a->memory, sizeof a->memory);
}

/* What is there, but wrong, was said already. */
static void find_missing(struct args *a, bool path)
{
    for (unsigned i = 0; i < a->count; i++) {
        const struct arg_row *row = &a->rows[i];
        if (!row->required || a->at[i].given || (row->where == IN_PATH && !path)) continue;
        bool named = false;
        for (unsigned f = 0; f < a->fault_count && f < ARGS_FAULTS_MAX; f++) {
            named = named || strcmp(a->faults[f].field, row->name) == 0;
        }
        if (!named) args_fault(a, row->name, "is required");
    }
}

struct err args_read(struct args *a, const struct arg_row *rows, unsigned count, const char *pattern,
                     const struct http_request *request)
{
    begin(a, rows, count);
    read_path(a, pattern, request->path);
    bool path_fault = a->fault_count > 0;
    read_query(a, request->query);
    TRY(read_body(a, request->body));
    find_missing(a, false);
    if (path_fault && request->verb != HTTP_VERB_PUT) return ERR(NOT_FOUND, "");
    return a->fault_count ? ERR(INVALID, "") : NO_ERR;
}

void args_fini(struct args *a)
{
    json_in_free(a->doc);
    a->doc = NULL;
}

const struct arg *args_get(const struct args *a, const char *name)
{
    for (unsigned i = 0; i < a->count; i++) {
        if (strcmp(a->rows[i].name, name) == 0) return &a->at[i];
    }
    must(!"a handler asks for a field that its route does not have");
    return NULL;
}

void args_fault(struct args *a, const char *field, const char *why)
{
    fault_bytes(a, bytes_text(field), why);
}

static void fault_bytes(struct args *a, struct bytes field, const char *why)
{
    if (a->fault_count++ >= ARGS_FAULTS_MAX) return;
    struct fault *f = &a->faults[a->fault_count - 1];
    size_t len = field.len < ARGS_NAME_MAX - 1 ? field.len : ARGS_NAME_MAX - 1;
    if (len) memcpy(f->field, field.at, len);
    f->field[len] = 0;
    f->why = why;
}

static int row_of(const struct args *a, enum arg_where where, struct bytes name)
{
    for (unsigned i = 0; i < a->count; i++) {
        if (a->rows[i].where == where && bytes_equal_text(name, a->rows[i].name)) return (int)i;
    }
    return -1;
}

/* ---- path and query: everything is text ---- */

/* Decoded into scratch; .at NULL when it cannot be. */
static struct bytes decoded(struct args *a, struct bytes raw, bool query)
{
    struct buf part = buf_on(a->scratch.at + a->scratch.len, a->scratch.cap - a->scratch.len);
    if (http_percent_decode(raw, query, &part).code) return bytes_of(NULL, 0);
    a->scratch.len += part.len;
    return bytes_of(part.at, part.len);
}

static void take_text(struct args *a, unsigned i, struct bytes raw, bool query)
{
    struct bytes text = decoded(a, raw, query);
    const char *why = text.at ? check_text(&a->rows[i], text, &a->at[i]) : "is not well formed or too long";
    if (why) args_fault(a, a->rows[i].name, with_words(a, &a->rows[i], why));
    else a->at[i].given = true;
}

static void read_path(struct args *a, const char *pattern, struct bytes path)
{
    struct bytes names = bytes_text(pattern), name, segment;
    while (http_path_next(&names, &name) && http_path_next(&path, &segment)) {
        if (name.len < 3 || name.at[0] != '{') continue;
        int i = row_of(a, IN_PATH, bytes_of(name.at + 1, name.len - 2));
        must(i >= 0); /* routes_test walks the table */
        take_text(a, (unsigned)i, segment, false);
    }
}

static void read_query(struct args *a, struct bytes query)
{
    while (query.len) {
        struct bytes value = bytes_split(&query, '&');
        struct bytes name = value.len ? bytes_split(&value, '=') : value;
        if (!name.len) continue;
        int i = row_of(a, IN_QUERY, name);
        if (i < 0) fault_bytes(a, name, "is not a parameter of this call");
        else if (a->at[i].given) args_fault(a, a->rows[i].name, "is there twice");
        else take_text(a, (unsigned)i, value, true);
    }
}

/* "5012" or "5012.3"; 18 digits fit into what SQL can hold. */
static const char *check_cursor(struct bytes text, struct arg *arg)
{
    uint64_t part = 0;
    struct bytes rest = text;
    struct bytes first = bytes_split(&rest, '.');
    bool fine = !bytes_u64(first, 18, &arg->cursor).code;
    if (first.len < text.len) fine = fine && !bytes_u64(rest, 10, &part).code && part <= UINT32_MAX;
    arg->cursor_part = (uint32_t)part;
    return fine ? NULL : "is not a cursor that a page gave";
}

static const char no_such_word[] = "is none of the words allowed here";

/* The words stand with it where they are few. */
static const char *with_words(struct args *a, const struct arg_row *row, const char *why)
{
    if (why != no_such_word || row->names->count > ARGS_WORDS_MAX) return why;
    struct buf b = buf_on(a->scratch.at + a->scratch.len, a->scratch.cap - a->scratch.len);
    buf_put_text(&b, "is none of");
    for (unsigned i = 0, put = 0; i < row->names->count; i++) {
        if (!row->names->names[i]) continue;
        buf_put_text(&b, put++ ? ", " : " ");
        buf_put_text(&b, row->names->names[i]);
    }
    buf_put_char(&b, 0);
    if (b.full) return why;
    a->scratch.len += b.len;
    return (const char *)b.at;
}

static const char *check_number(const struct arg_row *row, int64_t v, struct arg *arg)
{
    if (v < row->min) return "is too small";
    if (v > row->max) return "is too large";
    arg->number = v;
    return NULL;
}

static bool char_fits(enum arg_type type, uint8_t c)
{
    if (type == ARG_TEXT) return c >= 0x20 && c != 0x7f;
    if (type == ARG_IDENT) return c > 0x20 && c < 0x7f;
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* What comes in JSON was looked at by its reader. */
static bool utf8_is(struct bytes text)
{
    for (size_t i = 0; i < text.len;) {
        uint8_t c = text.at[i];
        unsigned more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : 9;
        if (more >= text.len - i) return false;
        uint8_t next = more ? text.at[i + 1] : 0x80;
        bool odd = (c == 0xe0 && next < 0xa0) || (c == 0xed && next > 0x9f) || (c == 0xf0 && next < 0x90) ||
                   (c == 0xf4 && next > 0x8f); /* too long, surrogates, beyond the last */
        if (odd) return false;
        for (unsigned k = 1; k <= more; k++) {
            if ((text.at[i + k] & 0xc0) != 0x80) return false;
        }
        i += more + 1;
    }
    return true;
}

static const char *check_chars(const struct arg_row *row, struct bytes text, struct arg *arg)
{
    if ((int64_t)text.len < row->min) return row->min == 1 ? "is empty" : "is too short";
    if ((int64_t)text.len > row->max) return "is too long";
    for (size_t i = 0; i < text.len; i++) {
        if (char_fits(row->type, text.at[i])) continue;
        return row->type == ARG_CODE ? "may have letters, digits, - and _ only" : "has characters that are not allowed";
    }
    if (row->type == ARG_TEXT && !utf8_is(text)) return "is not UTF-8";
    arg->text = text;
    return NULL;
}

/* Of any type, as text: NULL when it is fine. */
static const char *check_text(const struct arg_row *row, struct bytes text, struct arg *arg)
{
    uint64_t number;
    int64_t degrees;
    int value;
    switch ((enum arg_type)row->type) {
    case ARG_TEXT:
    case ARG_CODE:
    case ARG_IDENT: return check_chars(row, text, arg);
    case ARG_WHOLE:
        if (bytes_u64(text, 18, &number).code) return "is not a whole number";
        return check_number(row, (int64_t)number, arg);
    case ARG_BOOL:
        arg->number = bytes_equal_text(text, "true");
        return arg->number || bytes_equal_text(text, "false") ? NULL : "is neither true nor false";
    case ARG_TERM:
        value = enum_value(row->names, text);
        arg->number = value;
        return value < 0 ? no_such_word : NULL;
    case ARG_DEGREES:
        if (bytes_scaled(text, 7, &degrees).code) return "is not a number of degrees";
        return check_number(row, degrees, arg);
    case ARG_UUID: return uuid_parse(text, &arg->uuid).code ? "is not a UUID" : NULL;
    case ARG_PHONE:
        arg->text = text;
        return phone_is(text) ? NULL : "is not a phone number like +46701234567";
    case ARG_CURSOR: return check_cursor(text, arg);
    case ARG_CITIES:
    case ARG_CODES:
    case ARG_TERMS: return "is not a list here";
    }
    return "is not understood";
}

/* ---- body ---- */

static const char *check_real(const struct arg_row *row, double v, struct arg *arg)
{
    if (row->type != ARG_DEGREES) return "is not a whole number";
    if (v < -400 || v > 400) return "is out of range";
    return check_number(row, (int64_t)(v * 1e7 + (v < 0 ? -0.5 : 0.5)), arg);
}

static const char *check_value(const struct arg_row *row, const struct json_in_value *v, struct arg *arg)
{
    bool number = row->type == ARG_WHOLE || row->type == ARG_DEGREES;
    switch (v->kind) {
    case JSON_IN_TEXT:
        if (number || row->type == ARG_BOOL) return "is not a text here";
        return check_text(row, v->text, arg);
    case JSON_IN_INTEGER:
        if (!number) return "is not a number here";
        if (row->type == ARG_WHOLE) return check_number(row, v->number, arg);
        if (v->number < -400 || v->number > 400) return "is out of range";
        return check_number(row, v->number * 10000000, arg);
    case JSON_IN_REAL: return number ? check_real(row, v->real, arg) : "is not a number here";
    case JSON_IN_BOOL:
        arg->number = v->number;
        return row->type == ARG_BOOL ? NULL : "is not a truth value here";
    default: return "has a kind of value that is not allowed here";
    }
}

static void check_name(void *ctx, const char *name)
{
    struct args *a = ctx;
    if (row_of(a, IN_BODY, bytes_text(name)) < 0) args_fault(a, name, "is not a field of this call");
}

static const char *check_terms(const struct json_in *doc, const struct arg_row *row, struct arg *arg)
{
    struct json_in_value v;
    uint64_t set = 0;
    if (!json_in_get(doc, row->name, &v) || v.kind != JSON_IN_LIST) return "is not a list";
    for (size_t i = 0; i < json_in_count(doc, row->name); i++) {
        bool text = json_in_item_value(doc, row->name, i, &v) && v.kind == JSON_IN_TEXT;
        int value = text ? enum_value(row->names, v.text) : -1;
        if (value < 0 || value > 62) return "has a word that is not allowed here";
        set |= 1ull << value;
    }
    arg->number = (int64_t)set;
    return NULL;
}

static const char *check_codes(const struct json_in *doc, const struct arg_row *row, struct arg *arg)
{
    const struct arg_row one = {.type = ARG_CODE, .min = 1, .max = row->type == ARG_CITIES ? 31 : 15};
    struct json_in_value v;
    struct arg unused;
    if (!json_in_get(doc, row->name, &v) || v.kind != JSON_IN_LIST) return "is not a list";
    size_t count = json_in_count(doc, row->name);
    if ((int64_t)count < row->min || (int64_t)count > row->max) return count ? "has too many codes" : "is empty";
    for (size_t i = 0; i < count; i++) {
        bool text = json_in_item_value(doc, row->name, i, &v) && v.kind == JSON_IN_TEXT;
        if (!text || check_text(&one, v.text, &unused)) return "has something that is no code";
    }
    arg->number = (int64_t)count;
    return NULL;
}

struct bytes args_code(const struct args *a, const char *name, size_t i)
{
    struct json_in_value v;
    bool there = json_in_item_value(a->object, name, i, &v);
    must(there && v.kind == JSON_IN_TEXT);
    return v.text;
}

const char *args_member(const struct arg_row *row, const struct json_in *object, struct arg *arg)
{
    struct json_in_value v;
    if (!json_in_get(object, row->name, &v) || (v.kind == JSON_IN_NULL && !row->required)) return NULL;
    bool codes = row->type == ARG_CODES || row->type == ARG_CITIES;
    const char *why = row->type == ARG_TERMS ? check_terms(object, row, arg)
                      : codes                ? check_codes(object, row, arg)
                                             : check_value(row, &v, arg);
    arg->given = !why;
    return why;
}

static void read_members(struct args *a, const struct json_in *object, bool path)
{
    a->object = object;
    for (unsigned i = 0; i < a->count; i++) {
        const struct arg_row *row = &a->rows[i];
        if (row->where != IN_BODY && !(path && row->where == IN_PATH)) continue;
        const char *why = args_member(row, object, &a->at[i]);
        if (why) args_fault(a, row->name, with_words(a, row, why));
    }
}

static struct err read_body(struct args *a, struct bytes body)
{
    if (!body.len) return NO_ERR; /* what is required and missing is named by the caller */
    TRY(json_in_parse(body, &a->doc));
    json_in_names(a->doc, check_name, a);
    read_members(a, a->doc, false);
    return NO_ERR;
}

static void check_member(void *ctx, const char *name)
{
    struct args *a = ctx;
    bool known = row_of(a, IN_BODY, bytes_text(name)) >= 0 || row_of(a, IN_PATH, bytes_text(name)) >= 0;
    if (!known) args_fault(a, name, "is not a member of this");
}

struct err args_read_object(struct args *a, const struct arg_row *rows, unsigned count, const struct json_in *object)
{
    begin(a, rows, count);
    json_in_names(object, check_member, a);
    read_members(a, object, true);
    find_missing(a, true);
    return a->fault_count ? ERR(INVALID, "") : NO_ERR;
}
