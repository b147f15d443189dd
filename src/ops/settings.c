/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/settings.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"

#define WHY_MAX 256

static const struct setting_row {
    const char *name, *def, *unit, *doc;
    enum setting_type type;
    size_t offset;
    int64_t low, high;
} rows[] = {
#define X(member, name, type, def, low, high, unit, doc) \
    {name, def, unit, doc, SETTING_##type, offsetof(struct settings, member), low, high},
    SETTING_LIST(X)
#undef X
};
#define ROWS (sizeof rows / sizeof *rows)

static struct err set_text(char *at, struct bytes value, const struct setting_row *row, char *why)
{
    if (value.len >= SETTING_TEXT_MAX || memchr(value.at, 0, value.len)) {
        snprintf(why, WHY_MAX, "%s: at most %d characters", row->name, SETTING_TEXT_MAX - 1);
        return ERR(INVALID, "a setting's text is too long");
    }
    if (value.len) memcpy(at, value.at, value.len);
    at[value.len] = 0;
    return NO_ERR;
}

static struct err set_value(struct settings *s, const struct setting_row *row, struct bytes value, char *why)
{
    char *at = (char *)s + row->offset;
    if (row->type == SETTING_TEXT) return set_text(at, value, row, why);
    if (row->type == SETTING_BOOL) {
        bool yes = bytes_equal_text(value, "true"), no = bytes_equal_text(value, "false");
        snprintf(why, WHY_MAX, "%s: true or false", row->name);
        if (!yes && !no) return ERR(INVALID, "a setting is neither true nor false");
        *(bool *)at = yes;
        return NO_ERR;
    }
    uint64_t number;
    snprintf(why, WHY_MAX, "%s: a number from %lld to %lld (%s)", row->name, (long long)row->low, (long long)row->high,
             row->unit);
    if (bytes_u64(value, 18, &number).code || (int64_t)number < row->low || (int64_t)number > row->high) {
        return ERR(INVALID, "a setting is not a number in its range");
    }
    int64_t n = (int64_t)number;
    memcpy(at, &n, sizeof n);
    return NO_ERR;
}

void settings_init(struct settings *s)
{
    char why[WHY_MAX];
    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < ROWS; i++) {
        struct err e = set_value(s, &rows[i], bytes_text(rows[i].def), why);
        must(!e.code);
    }
}

struct err settings_set(struct settings *s, struct bytes assignment, char *why)
{
    struct bytes name = bytes_trim(bytes_split(&assignment, '=')), value = bytes_trim(assignment);
    for (size_t i = 0; i < ROWS; i++) {
        if (bytes_equal_text(name, rows[i].name)) return set_value(s, &rows[i], value, why);
    }
    snprintf(why, WHY_MAX, "there is no setting '%.*s'; --help lists them", (int)(name.len > 60 ? 60 : name.len),
             (const char *)name.at);
    return ERR(INVALID, "no such setting");
}

struct err settings_file(struct settings *s, const char *path, char *why)
{
    FILE *f = fopen(path, "re");
    if (!f) {
        snprintf(why, WHY_MAX, "%s cannot be opened", path);
        return ERR(IO, "the settings file cannot be opened");
    }
    char line[512], inner[WHY_MAX];
    struct err e = NO_ERR;
    struct settings all = *s; /* refused whole: nothing of a bad file takes effect */
    for (unsigned no = 1; !e.code && fgets(line, sizeof line, f); no++) {
        line[strcspn(line, "#\r\n")] = 0;
        struct bytes text = bytes_trim(bytes_text(line));
        if (text.len) e = settings_set(&all, text, inner);
        if (e.code) snprintf(why, WHY_MAX, "%.80s line %u: %.140s", path, no, inner);
    }
    fclose(f);
    if (!e.code) *s = all;
    return e;
}

void settings_print(void *file, bool markdown)
{
    FILE *f = file;
    if (markdown) fprintf(f, "| setting | default | range | unit | meaning |\n| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < ROWS; i++) {
        const struct setting_row *r = &rows[i];
        char range[64] = "";
        if (r->type == SETTING_NUMBER) snprintf(range, sizeof range, "%lld–%lld", (long long)r->low, (long long)r->high);
        if (r->type == SETTING_BOOL) snprintf(range, sizeof range, "true, false");
        if (markdown) fprintf(f, "| `%s` | `%s` | %s | %s | %s |\n", r->name, r->def, range, r->unit, r->doc);
        else fprintf(f, "  %-28s %-16s %s%s%s%s\n", r->name, *r->def ? r->def : "(none)", r->doc, *r->unit ? " [" : "",
                     r->unit, *r->unit ? "]" : "");
    }
}
