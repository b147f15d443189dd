/* SPDX-License-Identifier: Apache-2.0 */
/* apply_inside.h: what the files of apply share. Nobody else includes this.
 *
 *     apply.c         words of the command line, the order of things, what is printed
 *     apply_file.c    the file: read, checked, each thing in it found
 *     apply_diff.c    a thing in the file beside the same on the server
 *     apply_secret.c  passwords and secrets, which the file only names
 *     apply_send.c    HTTP: pages of what there is, and many PUTs at once */
#ifndef OPS_APPLY_INSIDE_H
#define OPS_APPLY_INSIDE_H

#include <stdio.h>

#include "api/people.h"
#include "api/routes.h"
#include "net/http_client.h"
#include "ops/apply.h"

#define APPLY_FILE_MAX (64u << 20)   /* bytes of the file */
#define APPLY_THINGS_MAX 1000000u    /* of all kinds */
#define APPLY_FAULTS_SHOWN 50u
#define APPLY_LINES_SHOWN 50u        /* of one kind in the difference; the rest is counted */
#define APPLY_AT_ONCE 32u            /* connections, one request in flight on each */
#define APPLY_TRIES 8u               /* of one request, when nobody answers or the server is full */
#define APPLY_WORDS 64u
#define APPLY_VARIABLE_MAX 64u       /* bytes of the name of one of the environment's */
#define APPLY_PATH_MAX 200u          /* bytes of a path in the file */

/* A row of apply_kinds: what the file calls it, and where the server keeps it. */
struct apply_kind {
    const char *member;    /* of the file and of the answer that lists it: "cities" */
    const char *put;       /* id of the route that declares one; where there is no such route, there is no such kind */
    const char *list;      /* path of the list, or of the one */
    const char *in_list;   /* its member there */
    const char *named_by;  /* the argument of other kinds that names one of these; NULL: none does */
    bool single;           /* one object, not a list */
    bool keeps;            /* what the file leaves out stays as it is; else it becomes what the PUT makes of nothing */
    bool one_by_one;       /* there is no list: `list` and a name are the path of one */
    unsigned at_once;      /* PUTs in flight; 0 = APPLY_AT_ONCE */
};
enum { APPLY_KINDS = 9 };
extern const struct apply_kind apply_kinds[APPLY_KINDS];

enum apply_state { APPLY_NEW, APPLY_CHANGED, APPLY_SAME };

/* One object of the file. */
struct apply_thing {
    const struct json_in *object;
    struct bytes name;     /* what its PUT names in the path; empty for a single one */
    uint32_t index;        /* its place in the file's list */
    uint8_t state;         /* enum apply_state */
};

/* The things of one kind. */
struct apply_list {
    const struct apply_kind *kind;
    const struct route *route;   /* NULL: this build has no such kind */
    struct arg_row rows[ARGS_MAX]; /* of an object in the file: the route's, but for what apply_secret.c is for */
    unsigned row_count;
    bool has_password, has_secret; /* the file says where one is, or where it goes: apply_secret.c */
    const char *key;             /* the argument in its path; NULL: none */
    struct apply_thing *things;
    uint32_t count;
    uint32_t states[3];
};

/* One object of the server, under one of its names. */
struct apply_known { struct bytes name; const struct json_in *object; };
struct apply_known_list {
    struct apply_known *at;
    uint32_t count, cap;
    struct json_in **pages;
    uint32_t page_count, page_cap;
};

struct apply {
    const char *path, *server, *token;
    bool dry_run, exit_code;
    char *text;                       /* of the file */
    struct json_in *file;
    struct apply_list lists[APPLY_KINDS];
    struct apply_known_list known[APPLY_KINDS];
    uint32_t fault_count;
    struct loop *loop;
    char address[80], authorization[128];
    uint32_t sent, refused;
    int64_t began_ms, told_ms;
};

struct apply_password { size_t len; char at[PEOPLE_PASSWORD_MAX + 2]; }; /* room to see that it is too long */

void *apply_memory(size_t size); /* zeroed; ends the program when there is none */

/* ---- apply_file.c ---- */
/* Reads and checks; faults are told on stderr, each with its place. APPLY_DONE or an exit code. */
int apply_read_file(struct apply *a);
/* Is what things name in the file or on the server? Faults as before; a->known is filled in. */
void apply_check_references(struct apply *a);
/* What is wrong with a field (empty: the whole) of a thing, told on stderr and counted. */
void apply_fault(struct apply *a, const struct apply_list *list, uint32_t index, const char *field, const char *why);
/* The thing's members by list->rows; it was checked before. args_fini afterwards. */
void apply_args(const struct apply_list *list, const struct apply_thing *thing, struct args *args);

/* ---- apply_diff.c ---- */
void apply_sort_known(struct apply_known_list *known);
const struct json_in *apply_find_known(const struct apply_known_list *known, struct bytes name);
/* Finds each thing's state. `out` (may be NULL) is told what is new and what changes. */
void apply_compare(struct apply *a, unsigned kind, FILE *out);

/* ---- apply_secret.c ---- */
/* Are the passwords there that will be sent, and is there nothing where a secret will go? Faults as before. */
void apply_check_secrets(struct apply *a);
/* Is its password to be sent? `known`: the same on the server, NULL: none. */
bool apply_needs_password(const struct apply_list *list, const struct args *args, const struct json_in *known);
/* NULL, or why there is none. The caller forgets it. */
const char *apply_password(const struct args *args, struct apply_password *out);
/* Puts away the secret that an answer about the thing has, and says where. `answer` NULL: nothing to see. */
void apply_keep_secret(struct apply *a, const struct apply_list *list, const struct apply_thing *thing,
                       const struct json_in *answer);

/* ---- apply_send.c ---- */
int apply_connect(struct apply *a);
void apply_disconnect(struct apply *a);
/* What the server has of a kind, into a->known. */
int apply_fetch(struct apply *a, unsigned kind);
/* PUTs what is not the same. */
int apply_put(struct apply *a, unsigned kind);

#endif
