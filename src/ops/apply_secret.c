/* SPDX-License-Identifier: Apache-2.0 */
/* apply_secret.c: passwords that go to the server and secrets that come from it. The file is kept and shown around, so it
 * only names where they are; neither is ever printed. A password is somebody's first: who has one keeps it, and the
 * variable need not be set any more. A secret is shown once, so it is kept at once, in a file that was not there before. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/secret.h"
#include "ops/apply_inside.h"

/* ---- passwords ---- */

bool apply_needs_password(const struct apply_list *list, const struct args *args, const struct json_in *known)
{
    struct json_in_value v;
    if (!list->has_password) return false;
    if (!args_get(args, "password_env")->given && !args_get(args, "password_file")->given) return false;
    return !known || !json_in_get(known, "can_sign_in", &v) || !v.number;
}

static const char *from_file(struct bytes path, struct apply_password *out)
{
    char name[APPLY_PATH_MAX + 1];
    size_t len = 0;
    memcpy(name, path.at, path.len);
    name[path.len] = 0;
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return strerror(errno);
    for (ssize_t got = 1; got > 0 && len < sizeof out->at; len += got > 0 ? (size_t)got : 0) {
        got = read(fd, out->at + len, sizeof out->at - len);
    }
    close(fd);
    const char *end = memchr(out->at, '\n', len);
    if (end) len = (size_t)(end - out->at);
    if (len && out->at[len - 1] == '\r') len--;
    out->len = len;
    return NULL;
}

const char *apply_password(const struct args *args, struct apply_password *out)
{
    const struct arg *variable = args_get(args, "password_env"), *file = args_get(args, "password_file");
    *out = (struct apply_password){.len = 0};
    if (variable->given) {
        char name[APPLY_VARIABLE_MAX + 1];
        memcpy(name, variable->text.at, variable->text.len);
        name[variable->text.len] = 0;
        const char *value = getenv(name);
        if (!value) return "is not set: export the variable that it names";
        out->len = strnlen(value, sizeof out->at);
        memcpy(out->at, value, out->len);
    } else {
        const char *why = from_file(file->text, out);
        if (why) return why;
    }
    bool fits = out->len >= PEOPLE_PASSWORD_MIN && out->len <= PEOPLE_PASSWORD_MAX;
    return fits ? NULL : "names a password that has not 12 to 128 characters";
}

static void check_password(struct apply *a, const struct apply_list *list, const struct apply_thing *thing,
                           const struct args *args, const struct json_in *known)
{
    struct apply_password password;
    if (!apply_needs_password(list, args, known)) return;
    const char *field = args_get(args, "password_env")->given ? "password_env" : "password_file";
    const char *why = apply_password(args, &password);
    if (why) apply_fault(a, list, thing->index, field, why);
    secret_forget(&password, sizeof password);
}

/* ---- secrets ---- */

/* Its path; empty: none. */
static void secret_path(const struct apply_list *list, const struct apply_thing *thing, char path[APPLY_PATH_MAX + 1])
{
    struct args args;
    apply_args(list, thing, &args);
    struct bytes text = args_get(&args, "secret_file")->text;
    if (text.len) memcpy(path, text.at, text.len);
    path[text.len] = 0;
    args_fini(&args);
}

static void check_secret_file(struct apply *a, const struct apply_list *list, const struct apply_thing *thing)
{
    char path[APPLY_PATH_MAX + 1];
    secret_path(list, thing, path);
    if (!path[0] || access(path, F_OK) != 0) return;
    apply_fault(a, list, thing->index, "secret_file", "is there already, of an earlier one: move it away");
}

static bool write_new(const char *path, struct bytes secret)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    bool fine = write(fd, secret.at, secret.len) == (ssize_t)secret.len && write(fd, "\n", 1) == 1;
    int why = errno;
    if (close(fd) && fine) {
        why = errno;
        fine = false;
    }
    errno = why;
    return fine;
}

void apply_keep_secret(struct apply *a, const struct apply_list *list, const struct apply_thing *thing,
                       const struct json_in *answer)
{
    struct json_in_value secret;
    char path[APPLY_PATH_MAX + 1];
    const char *kind = list->kind->member;
    int len = (int)thing->name.len;
    secret_path(list, thing, path);
    if (!answer || !json_in_get(answer, "secret", &secret) || secret.kind != JSON_IN_TEXT) {
        if (thing->state != APPLY_NEW || !answer) return;
        fprintf(stderr, "%s: %s %.*s: its secret got lost on the way: PUT it with new_secret for another\n", a->path, kind,
                len, (const char *)thing->name.at);
        return;
    }
    if (!path[0]) {
        printf("  %s %.*s: its secret was made and not kept (no secret_file): PUT it with new_secret for another\n", kind, len,
               (const char *)thing->name.at);
    } else if (write_new(path, secret.text)) {
        printf("  %s %.*s: its secret is in %s\n", kind, len, (const char *)thing->name.at, path);
    } else {
        a->refused++;
        fprintf(stderr, "%s: %s[%u].secret_file: %s: %s; PUT it with new_secret for another\n", a->path, kind, thing->index,
                path, strerror(errno));
    }
}

/* ---- both ---- */

static void check_one(struct apply *a, const struct apply_list *list, const struct apply_thing *thing,
                      const struct json_in *known)
{
    struct args args;
    apply_args(list, thing, &args);
    check_password(a, list, thing, &args, known);
    args_fini(&args);
    if (list->has_secret && !known) check_secret_file(a, list, thing);
}

void apply_check_secrets(struct apply *a)
{
    for (unsigned k = 0; k < APPLY_KINDS; k++) {
        const struct apply_list *list = &a->lists[k];
        for (uint32_t i = 0; (list->has_password || list->has_secret) && i < list->count; i++) {
            check_one(a, list, &list->things[i], apply_find_known(&a->known[k], list->things[i].name));
        }
    }
}
