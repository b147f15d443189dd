/* SPDX-License-Identifier: Apache-2.0 */
/* staff_cmd.c: see staff_cmd.h. A password never stands in an argument, where every process could read it. */
#include "api/staff_cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "api/contacts.h"
#include "api/people.h"

enum { FINE = 0, REFUSED = 1, USAGE = 2, CANNOT = 3, PATH_ROOM = 1024 };

struct asked {
    const char *data, *name, *role;
    char cities[SCOPE_TEXT_MAX];
    struct buf city_list;
    bool list, keep, sign_out, remove, help;
};

static const char usage[] =
    "usage: paddock staff --data DIR --name NAME --role control|oncall|crew|owner|city|mds [--city CODE]...\n"
    "       paddock staff --data DIR --name NAME --sign-out | --remove\n"
    "       paddock staff --data DIR --list\n"
    "\n"
    "Makes staff who sign in by name and password, or changes them; works while the server runs. The password is read\n"
    "from the terminal, or as one line from stdin. Whoever is changed is signed out everywhere.\n"
    "  --data DIR       the server's data directory\n"
    "  --name NAME      what they sign in by, 1 to 31 characters\n"
    "  --role ROLE      what they may do\n"
    "  --city CODE      where they may do it, once for each city; without: everywhere\n"
    "  --keep-password  asks for none: theirs stays; somebody new cannot sign in before they are given one\n"
    "  --sign-out       ends every token that they have\n"
    "  --remove         the same, and they sign in no more\n"
    "  --list           shows all: name, role, cities, account\n";

static int bad_usage(const char *what, const char *which)
{
    fprintf(stderr, "paddock staff: %s%s (--help shows how)\n", what, which);
    return USAGE;
}

static int read_options(int argc, char **argv, struct asked *asked)
{
    asked->city_list = buf_on(asked->cities, sizeof asked->cities);
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], **value = NULL;
        bool city = strcmp(name, "--city") == 0;
        if (strcmp(name, "--data") == 0) value = &asked->data;
        else if (strcmp(name, "--name") == 0) value = &asked->name;
        else if (strcmp(name, "--role") == 0) value = &asked->role;
        else if (strcmp(name, "--list") == 0) asked->list = true;
        else if (strcmp(name, "--keep-password") == 0) asked->keep = true;
        else if (strcmp(name, "--sign-out") == 0) asked->sign_out = true;
        else if (strcmp(name, "--remove") == 0) asked->remove = true;
        else if (strcmp(name, "--help") == 0) asked->help = true;
        else if (!city) return bad_usage("unknown option ", name);
        if (!value && !city) continue;
        if (i + 1 == argc) return bad_usage("a value is missing behind ", name);
        const char *given = argv[++i];
        if (value) *value = given;
        if (city && asked->city_list.len) buf_put_char(&asked->city_list, ',');
        if (city) buf_put_text(&asked->city_list, given);
    }
    if (asked->help) return FINE;
    if (!asked->data) return bad_usage("--data DIR is needed", "");
    if (asked->list + asked->sign_out + asked->remove + (asked->role != NULL) != 1) {
        return bad_usage("one of --role, --sign-out, --remove and --list is needed", "");
    }
    return asked->list || asked->name ? FINE : bad_usage("--name NAME is needed", "");
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A line without its end; false when there is none. On a terminal it is not shown. */
static bool read_line(const char *prompt, char *out, size_t room)
{
    struct termios shown, hidden;
    bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &shown) == 0;
    if (terminal) {
        fputs(prompt, stderr);
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    bool fine = fgets(out, (int)room, stdin) != NULL;
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        fputc('\n', stderr);
    }
    if (fine) out[strcspn(out, "\r\n")] = 0;
    return fine;
}

/* Asked twice where nobody can see what was typed. */
static bool read_password(char *out, size_t room)
{
    char again[2 * PEOPLE_PASSWORD_MAX];
    if (!read_line("Password (12 characters at least): ", out, room)) return false;
    if (!isatty(STDIN_FILENO)) return true;
    bool same = read_line("The same again: ", again, sizeof again) && strcmp(out, again) == 0;
    secret_forget(again, sizeof again);
    return same;
}

static int cannot(struct auth *a, struct err e)
{
    const char *text = auth_text(a);
    fprintf(stderr, "paddock staff: %s%s%s\n", e.why, text[0] ? ": " : "", text);
    return e.code == ERR_INVALID ? USAGE : e.code == ERR_NOT_FOUND ? REFUSED : CANNOT;
}

static int put(struct auth *a, const struct asked *asked)
{
    char password[2 * PEOPLE_PASSWORD_MAX] = "";
    struct scope scope;
    struct uuid account;
    int role = enum_value(&auth_role_names, bytes_text(asked->role));
    if (role <= AUTH_RIDER) return bad_usage("no such role of staff: ", asked->role);
    if (asked->city_list.full || scope_read(buf_bytes(&asked->city_list), &scope).code) {
        return bad_usage("not codes of cities, or too many: ", asked->cities);
    }
    if (!asked->keep && !read_password(password, sizeof password)) return bad_usage("no password was given", "");
    struct people_staff staff = {.name = bytes_text(asked->name), .role = (enum auth_role)role,
                                 .scope = asked->city_list.len ? &scope : NULL, .password = bytes_text(password)};
    bool empty = !asked->keep && !staff.password.len;
    struct err e = empty ? ERR(INVALID, "a password has 12 to 128 characters")
                         : people_staff_put(a, &staff, SECRET_COST, now_ms(), &account);
    secret_forget(password, sizeof password);
    if (e.code) return cannot(a, e);
    char text[80];
    struct buf b = buf_on(text, sizeof text - 1);
    buf_put_uuid(&b, account);
    text[b.len] = 0;
    fprintf(stderr, "%s is %s, account %s\n", asked->name, asked->role, text);
    return FINE;
}

static void print_staff(void *ctx, const struct contacts_staff *staff)
{
    char text[SCOPE_TEXT_MAX + 160];
    struct buf b = buf_on(text, sizeof text);
    (void)ctx;
    buf_put_bytes(&b, text_bytes(&staff->name));
    buf_put_char(&b, '\t');
    buf_put_text(&b, enum_name(&auth_role_names, staff->role));
    buf_put_char(&b, '\t');
    buf_put(&b, staff->scope, staff->scope_len);
    buf_put_char(&b, '\t');
    buf_put_uuid(&b, staff->account);
    buf_put_char(&b, '\n');
    fwrite(b.at, 1, b.len, stdout);
}

static int act(struct auth *a, const struct asked *asked)
{
    struct bytes all = bytes_of(NULL, 0);
    if (asked->role) return put(a, asked);
    struct err e = asked->list       ? contacts_staff_list(auth_contacts(a), all, 0, print_staff, NULL)
                   : asked->sign_out ? people_staff_sign_out(a, bytes_text(asked->name), now_ms())
                                     : people_staff_drop(a, bytes_text(asked->name), now_ms());
    if (e.code) return cannot(a, e);
    if (asked->sign_out) fprintf(stderr, "%s is signed out everywhere\n", asked->name);
    if (asked->remove) fprintf(stderr, "%s signs in no more\n", asked->name);
    return FINE;
}

int staff_main(int argc, char **argv)
{
    struct asked asked = {.data = NULL};
    struct auth *a = NULL;
    char path[PATH_ROOM];
    int rc = read_options(argc, argv, &asked);
    if (rc) return rc;
    if (asked.help) {
        fputs(usage, stdout);
        return FINE;
    }
    int len = snprintf(path, sizeof path, "%s/contacts.db", asked.data);
    if (len < 0 || (size_t)len >= sizeof path) return bad_usage("the path is too long", "");
    if (mkdir(asked.data, 0700) && errno != EEXIST) return bad_usage("the directory cannot be made: ", asked.data);
    struct auth_options options = {.path = path, .cache_max = 16};
    struct err e = auth_create(&options, &a);
    rc = e.code ? cannot(a, e) : act(a, &asked);
    auth_destroy(a);
    return rc;
}
