/* SPDX-License-Identifier: Apache-2.0 */
/* describe.c: writes docs/reference/ from the tables in the code, so that the two cannot differ: `make docs`.
 *
 * describe FOLDER [CLIENTS] writes api.md, openapi.json, facts.md, tables.md, events.md, errors.md, terms.md,
 * transitions.md and settings.md there, and the generated parts of clients/ into CLIENTS. `make tidy` writes them
 * elsewhere and compares. Not part of the server. */
#include "tools/describe.h"
#include "tools/describe_clients.h"

#include <stdlib.h>
#include <string.h>

#include "engine/effect.h"
#include "engine/engine.h"
#include "ops/settings.h"

const char *describe_folder;

static void write_facts(void);
static void write_tables(void);
static void write_events(void);
static void write_errors(void);
static void write_terms(void);
static void write_transitions(void);
static void write_settings(void);

int main(int count, char **words)
{
    if (count != 2 && count != 3) {
        fprintf(stderr, "usage: describe FOLDER [CLIENTS]\n");
        return 2;
    }
    describe_folder = words[1];
    describe_api();
    describe_openapi();
    write_facts();
    write_tables();
    write_events();
    write_errors();
    write_terms();
    write_transitions();
    write_settings();
    if (count == 3) {
        describe_folder = words[2];
        FILE *f = file_open("python/paddock_calls.py");
        describe_python(f);
        page_close(f);
        f = file_open("go/calls.go");
        describe_go(f);
        page_close(f);
    }
    return 0;
}

FILE *file_open(const char *name)
{
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/%s", describe_folder, name);
    FILE *f = len > 0 && (size_t)len < sizeof path ? fopen(path, "w") : NULL;
    if (!f) {
        fprintf(stderr, "describe: cannot write %s/%s\n", describe_folder, name);
        exit(1);
    }
    return f;
}

FILE *page_open(const char *name, const char *title)
{
    char file[64];
    snprintf(file, sizeof file, "%s.md", name);
    FILE *f = file_open(file);
    fprintf(f, "# %s\n\n<!-- Written by tools/describe.c from the tables in the code: change those, then ", title);
    fprintf(f, "`make docs`. -->\n\n");
    return f;
}

void page_close(FILE *f)
{
    if (ferror(f) | fclose(f)) {
        fprintf(stderr, "describe: the disk refused a page\n");
        exit(1);
    }
}

static void put_type(FILE *f, const struct field *field)
{
    static const char *const types[] = {
        [FIELD_U8] = "u8", [FIELD_U16] = "u16", [FIELD_U32] = "u32", [FIELD_U64] = "u64", [FIELD_I32] = "i32",
        [FIELD_I64] = "i64", [FIELD_BOOL] = "yes or no", [FIELD_ENUM] = "", [FIELD_UUID] = "UUID",
        [FIELD_TEXT4] = "text, 3 bytes", [FIELD_TEXT16] = "text, 15 bytes", [FIELD_TEXT32] = "text, 31 bytes",
        [FIELD_TEXT64] = "text, 64 bytes", [FIELD_E7] = "degrees × 10⁷", [FIELD_TIME] = "ms since 1970 UTC",
    };
    if (field->type == FIELD_ENUM) {
        fprintf(f, "[%s](terms.md#%s)", field->names->name, field->names->name);
    } else {
        fputs(types[field->type], f);
    }
}

static void put_fields(FILE *f, const struct shape *shape, bool with_sight)
{
    static const char *const sights[] = {
        [SIGHT_PRIVATE] = "nobody", [SIGHT_STAFF] = "staff", [SIGHT_RIDER] = "staff, rider",
    };
    fprintf(f, "| no | field | type |%s what it says |\n", with_sight ? " shown to |" : "");
    fprintf(f, "| ---: | --- | --- |%s --- |\n", with_sight ? " --- |" : "");
    for (unsigned i = 0; i < shape->count; i++) {
        const struct field *field = &shape->fields[i];
        fprintf(f, "| %u | `%s` | ", field->number, field->name);
        put_type(f, field);
        if (with_sight) fprintf(f, " | %s", sights[field->sight]);
        fprintf(f, " | %s |\n", field->doc);
    }
    fputc('\n', f);
}

static void write_facts(void)
{
    FILE *f = page_open("facts", "Facts");
    fprintf(f, "One checked input to the engine each. Kinds and fields are numbered for ever: appended, never reused.\n"
               "A fact's bytes: its kind, then each field that is not zero as tag and value (`src/base/field.h`).\n\n");
    for (unsigned kind = 0; kind < FACT_KIND_LIMIT; kind++) {
        const struct shape *shape = fact_shape(kind);
        if (!shape) continue;
        fprintf(f, "## %u `%s`\n\n%s.\n\n", kind, shape->name, shape->doc);
        put_fields(f, shape, false);
    }
    page_close(f);
}

static void write_tables(void)
{
    FILE *f = page_open("tables", "Tables");
    fprintf(f, "What the keeper writes to `tables.db`, a table for each entity, a row for each thing. Other programs\n"
               "may read at any time (`PRAGMA query_only`); all tables of one cut belong to the same fact.\n\n");
    for (unsigned kind = 0; kind < ROW_N; kind++) {
        fprintf(f, "- [`%s`](#%s): %s\n", row_tables[kind], row_tables[kind], row_shapes[kind].doc);
    }
    fputc('\n', f);
    for (unsigned kind = 0; kind < ROW_N; kind++) {
        fprintf(f, "## %s\n\n%s.\n\n", row_tables[kind], row_shapes[kind].doc);
        put_fields(f, &row_shapes[kind], true);
    }
    page_close(f);
}

static void put_terms(FILE *f, const struct enum_names *names)
{
    fprintf(f, "| no | name | meaning |\n| ---: | --- | --- |\n");
    for (unsigned value = 0; value < names->count; value++) {
        if (names->names[value]) fprintf(f, "| %u | `%s` | %s |\n", value, names->names[value], term_doc(names, value));
    }
    fputc('\n', f);
}

static void write_events(void)
{
    FILE *f = page_open("events", "Events");
    fprintf(f, "A published consequence of facts, numbered `seq.part`: what timelines, live streams and exports are\n"
               "made of. Members that are zero are left out.\n\n## Kinds\n\n");
    put_terms(f, &event_kind_names);
    fprintf(f, "## Members\n\n");
    put_fields(f, &event_shape, true);
    page_close(f);
}

static void write_errors(void)
{
    static const struct { const char *name, *text; unsigned no; int http; bool retry; } rows[] = {
#define X(no, code, name, http, retry, text) {name, text, no, http, retry},
        ERR_LIST(X)
#undef X
    };
    FILE *f = page_open("errors", "Errors");
    fprintf(f, "The `code` of every problem (RFC 9457) that the API answers, and of what the command line says.\n\n"
               "| no | code | HTTP | try again | what it means |\n| ---: | --- | ---: | --- | --- |\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fprintf(f, "| %u | `%s` | %d | %s | %s |\n", rows[i].no, rows[i].name, rows[i].http, rows[i].retry ? "yes" : "",
                rows[i].text);
    }
    page_close(f);
}

static void write_terms(void)
{
    FILE *f = page_open("terms", "Terms");
    fprintf(f, "The field's own words: GBFS 3.0 and MDS 2.0 where they have one. Code, tables, API and apps use the\n"
               "same.\n\n");
    for (unsigned i = 0; i < term_enum_count; i++) {
        fprintf(f, "## %s\n\n", term_enums[i]->name);
        put_terms(f, term_enums[i]);
    }
    page_close(f);
}

typedef bool may_fn(unsigned from, unsigned to);

static bool ride_row(unsigned from, unsigned to) { return ride_may((enum ride_state)from, (enum ride_state)to); }
static bool command_row(unsigned from, unsigned to)
{
    return command_may((enum command_state)from, (enum command_state)to);
}

static bool leads(const struct enum_names *names, may_fn *may, unsigned from)
{
    for (unsigned to = 1; to < names->count; to++) {
        if (may(from, to)) return true;
    }
    return false;
}

static bool reached(const struct enum_names *names, may_fn *may, unsigned to)
{
    for (unsigned from = 1; from < names->count; from++) {
        if (may(from, to)) return true;
    }
    return false;
}

/* State 0 is "not yet there": where the table has no row for it, a thing begins where nothing else leads. */
static bool begins(const struct enum_names *names, may_fn *may, unsigned state)
{
    if (leads(names, may, 0)) return may(0, state);
    return leads(names, may, state) && !reached(names, may, state);
}

/* A picture and a table of the same rows; words that the table does not use yet are named below it. */
static void put_machine(FILE *f, const char *title, const struct enum_names *names, may_fn *may)
{
    fprintf(f, "## %s\n\n```mermaid\nstateDiagram-v2\n", title);
    for (unsigned from = 1; from < names->count; from++) {
        if (begins(names, may, from)) fprintf(f, "    [*] --> %s\n", names->names[from]);
        for (unsigned to = 1; to < names->count; to++) {
            if (may(from, to)) fprintf(f, "    %s --> %s\n", names->names[from], names->names[to]);
        }
        if (reached(names, may, from) && !leads(names, may, from)) fprintf(f, "    %s --> [*]\n", names->names[from]);
    }
    fprintf(f, "```\n\n| from | may become |\n| --- | --- |\n");
    for (unsigned from = 1; from < names->count; from++) {
        const char *between = "";
        if (!leads(names, may, from)) continue;
        fprintf(f, "| %s | ", names->names[from]);
        for (unsigned to = 1; to < names->count; to++) {
            if (!may(from, to)) continue;
            fprintf(f, "%s%s", between, names->names[to]);
            between = ", ";
        }
        fprintf(f, " |\n");
    }
    const char *between = "\nNot used yet: ";
    for (unsigned state = 1; state < names->count; state++) {
        if (begins(names, may, state) || reached(names, may, state)) continue;
        fprintf(f, "%s%s", between, names->names[state]);
        between = ", ";
    }
    fputs(*between == ',' ? ".\n\n" : "\n", f);
}

static void put_vehicle_machine(FILE *f)
{
    fprintf(f, "## vehicle\n\nStates and events are those of MDS 2.0; a row is one permitted move.\n\n"
               "| from | event | to |\n| --- | --- | --- |\n");
    for (unsigned from = 0; from < VEHICLE_STATE_N; from++) {
        for (unsigned event = 1; event < VEHICLE_EVENT_N; event++) {
            for (unsigned to = 1; to < VEHICLE_STATE_N; to++) {
                if (!vehicle_may((enum vehicle_state)from, (enum vehicle_event)event, (enum vehicle_state)to)) continue;
                fprintf(f, "| %s | %s | %s |\n", from ? vehicle_state_names.names[from] : "(new)",
                        vehicle_event_names.names[event], vehicle_state_names.names[to]);
            }
        }
    }
    fputc('\n', f);
}

static void write_transitions(void)
{
    FILE *f = page_open("transitions", "Transitions");
    fprintf(f, "Which state may follow which. A state changes by the tables in `src/engine/` alone.\n\n");
    put_machine(f, "ride", &ride_state_names, ride_row);
    put_machine(f, "command", &command_state_names, command_row);
    put_vehicle_machine(f);
    page_close(f);
}

static void write_settings(void)
{
    FILE *f = page_open("settings", "Settings");
    fprintf(f, "Given as `--set name=value`, or as lines `name = value` in the file that `--config` names. A file is\n"
               "refused whole at its first wrong line.\n\n");
    settings_print(f, true);
    page_close(f);
}
