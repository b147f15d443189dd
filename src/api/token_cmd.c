/* SPDX-License-Identifier: Apache-2.0 */
/* token_cmd.c: see token_cmd.h. The token alone goes to stdout, so that TOKEN=$(paddock token …) works; what it is goes
 * to stderr. */
#include "api/token_cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "api/auth.h"
#include "base/timetext.h"

enum { FINE = 0, REFUSED = 1, USAGE = 2, CANNOT = 3, PATH_MAX_LEN = 1024 };

#define DAY_MS 86400000ll
#define FOR_DEFAULT_MS (90 * DAY_MS)

struct asked {
    const char *data, *role, *account, *good_for, *revoke, *cities;
    bool list, help;
};

static const char usage[] =
    "usage: paddock token --data DIR --role rider|control|oncall|crew|owner|city|mds\n"
    "                     [--account UUID] [--for 90d] [--cities CODE,CODE]\n"
    "       paddock token --data DIR --list\n"
    "       paddock token --data DIR --revoke NAME\n"
    "\n"
    "Makes a token for the HTTP API and prints it, once: only its hash is kept. Works while the server runs.\n"
    "  --data DIR      the server's data directory\n"
    "  --role ROLE     what the token may do\n"
    "  --account UUID  for whom; without: a new account\n"
    "  --cities LIST   codes of the cities that the account works in, from now on; without: as it was, everywhere when new\n"
    "  --for TIME      how long it is good: 30m, 12h, 90d (90d)\n"
    "  --list          shows the tokens there are: name, role, account, when they end\n"
    "  --revoke NAME   ends the token with that name, as --list shows it; the server sees it within a second\n";

static int bad_usage(const char *what, const char *which)
{
    fprintf(stderr, "paddock token: %s%s (--help shows how)\n", what, which);
    return USAGE;
}

static int read_options(int argc, char **argv, struct asked *asked)
{
    const struct { const char *name; const char **value; } options[] = {
        {"--data", &asked->data}, {"--role", &asked->role}, {"--account", &asked->account},
        {"--for", &asked->good_for}, {"--revoke", &asked->revoke},
        {"--cities", &asked->cities},
    };
    for (int i = 1; i < argc; i++) {
        const char **value = NULL;
        for (size_t o = 0; o < sizeof options / sizeof *options; o++) {
            if (strcmp(argv[i], options[o].name) == 0) value = options[o].value;
        }
        if (value && i + 1 < argc) *value = argv[++i];
        else if (value) return bad_usage("a value is missing behind ", argv[i]);
        else if (strcmp(argv[i], "--list") == 0) asked->list = true;
        else if (strcmp(argv[i], "--help") == 0) asked->help = true;
        else return bad_usage("unknown option ", argv[i]);
    }
    if (asked->help) return FINE;
    int ways = (asked->role != NULL) + asked->list + (asked->revoke != NULL);
    if (!asked->data) return bad_usage("--data DIR is needed", "");
    if (ways != 1) return bad_usage("one of --role, --list and --revoke is needed", "");
    return FINE;
}

/* "90d" in ms; false when it is not a time. */
static bool time_read(const char *text, int64_t *ms)
{
    struct bytes in = bytes_text(text);
    uint64_t n;
    if (in.len < 2 || bytes_u64(bytes_of(in.at, in.len - 1), 6, &n).code || !n) return false;
    switch (in.at[in.len - 1]) {
    case 'm': *ms = (int64_t)n * 60000; return true;
    case 'h': *ms = (int64_t)n * 3600000; return true;
    case 'd': *ms = (int64_t)n * DAY_MS; return true;
    default: return false;
    }
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int cannot(struct auth *a, struct err e)
{
    const char *text = auth_text(a);
    fprintf(stderr, "paddock token: %s%s%s\n", e.why, text[0] ? ": " : "", text);
    return e.code == ERR_INVALID ? USAGE : e.code == ERR_NOT_FOUND ? REFUSED : CANNOT;
}

static void put_line(struct buf *b, FILE *to)
{
    fwrite(b->at, 1, b->len, to);
    fputc('\n', to);
}

static int grant(struct auth *a, const struct asked *asked)
{
    struct auth_grant g = {.now_ms = now_ms()};
    int64_t good_for_ms = FOR_DEFAULT_MS;
    char token[AUTH_TOKEN_LEN], text[160];
    struct uuid account;
    int role = enum_value(&auth_role_names, bytes_text(asked->role));
    if (role <= 0) return bad_usage("no such role: ", asked->role);
    if (asked->account && uuid_parse(bytes_text(asked->account), &g.account).code) {
        return bad_usage("not a UUID: ", asked->account);
    }
    if (asked->good_for && !time_read(asked->good_for, &good_for_ms)) return bad_usage("not a time: ", asked->good_for);
    struct scope scope;
    if (asked->cities && scope_read(bytes_text(asked->cities), &scope).code) {
        return bad_usage("not codes of cities: ", asked->cities);
    }
    g.scope = asked->cities ? &scope : NULL;
    g.set_scope = asked->cities != NULL;
    g.role = (enum auth_role)role;
    g.expires_ms = g.now_ms + good_for_ms;
    struct err e = auth_grant(a, &g, token, &account);
    if (e.code) return cannot(a, e);
    fwrite(token, 1, sizeof token, stdout);
    fputc('\n', stdout);
    struct buf b = buf_on(text, sizeof text);
    buf_put_text(&b, asked->role);
    buf_put_text(&b, " token for account ");
    buf_put_uuid(&b, account);
    buf_put_text(&b, ", good until ");
    buf_put_time_ms(&b, g.expires_ms);
    buf_put_text(&b, "; it is not shown again");
    put_line(&b, stderr);
    return fflush(stdout) ? CANNOT : FINE;
}

static void print_row(void *ctx, const struct auth_token_row *row)
{
    char text[200];
    struct buf b = buf_on(text, sizeof text);
    int64_t at_ms = *(const int64_t *)ctx;
    buf_put_hex(&b, bytes_of(row->hash, 8));
    buf_put_char(&b, ' ');
    buf_put_text(&b, enum_name(&auth_role_names, row->role));
    buf_put_char(&b, ' ');
    buf_put_uuid(&b, row->account);
    buf_put_text(&b, row->revoked_ms ? " revoked " : row->expires_ms <= at_ms ? " expired " : " until ");
    buf_put_time_ms(&b, row->revoked_ms ? row->revoked_ms : row->expires_ms);
    put_line(&b, stdout);
}

static int act(struct auth *a, const struct asked *asked)
{
    int64_t at_ms = now_ms();
    struct err e;
    if (asked->role) return grant(a, asked);
    if (asked->list) {
        e = auth_list(a, print_row, &at_ms);
        return e.code ? cannot(a, e) : FINE;
    }
    e = auth_revoke(a, bytes_text(asked->revoke), at_ms);
    if (e.code) return cannot(a, e);
    fprintf(stderr, "revoked %s\n", asked->revoke);
    return FINE;
}

int token_main(int argc, char **argv)
{
    struct asked asked = {0};
    struct auth *a = NULL;
    char path[PATH_MAX_LEN];
    int rc = read_options(argc, argv, &asked);
    if (rc) return rc;
    if (asked.help) {
        fputs(usage, stdout);
        return FINE;
    }
    int len = snprintf(path, sizeof path, "%s/contacts.db", asked.data);
    if (len < 0 || (size_t)len >= sizeof path) return bad_usage("the path is too long", "");
    /* The first token may be made before the first start; nobody else has business in the directory. */
    if (mkdir(asked.data, 0700) && errno != EEXIST) return bad_usage("the directory cannot be made: ", asked.data);
    struct auth_options options = {.path = path, .cache_max = 16};
    struct err e = auth_create(&options, &a);
    rc = e.code ? cannot(a, e) : act(a, &asked);
    auth_destroy(a);
    return rc;
}
