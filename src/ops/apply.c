/* SPDX-License-Identifier: Apache-2.0 */
/* apply.c: see apply.h: the words of the command line, and the order of things. */
#include <stdlib.h>
#include <string.h>

#include "ops/apply_inside.h"
#include "ops/offline_inside.h"

static const char usage[] =
    "usage: paddock apply FILE.json --server URL --token TOKEN [--dry-run [--exit-code]]\n"
    "\n"
    "Makes a server declare what the file says: operator, legal entities, cities, vehicle types, plans, vehicles,\n"
    "webhooks, hooks, staff. The file is checked whole before anything is sent. Saying the same again changes nothing,\n"
    "so it may be interrupted and repeated. It removes nothing.\n"
    "\n"
    "No password or secret stands in the file or is printed. Of staff, \"password_env\": \"NAME\" or \"password_file\":\n"
    "\"PATH\" says where a first password is; who has one keeps it. Of webhooks and hooks, \"secret_file\": \"PATH\" is\n"
    "where the secret goes that the server makes and shows once. Paths are seen from where you run this.\n"
    "\n"
    "  FILE.json       \"-\" reads standard input; docs/examples/ has some\n"
    "  --server URL    http://127.0.0.1:8080\n"
    "  --token TOKEN   of role control; in the environment PADDOCK_TOKEN, other users of this machine do not see it\n"
    "  --dry-run       tells what is new, what changes from what to what and what is the same, and sends nothing\n"
    "  --exit-code     with --dry-run: exit 4 when there is something to do\n"
    "\n"
    "Exit codes: 0 done, 1 the server refused or could not be asked, 2 bad usage, 3 the file is wrong, 4 see above.\n";

static int bad_usage(const char *what, const char *word)
{
    fprintf(stderr, "paddock apply: %s%s; paddock apply --help explains\n", what, word);
    return APPLY_USAGE;
}

/* -1: go on. */
static int read_words(struct apply *a, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            fputs(usage, stdout);
            return APPLY_DONE;
        }
        if (offline_option(argc, argv, &i, "--server", &a->server)) continue;
        if (offline_option(argc, argv, &i, "--token", &a->token)) continue;
        if (!strcmp(argv[i], "--dry-run")) a->dry_run = true;
        else if (!strcmp(argv[i], "--exit-code")) a->exit_code = true;
        else if (argv[i][0] == '-' && argv[i][1]) return bad_usage("there is no option ", argv[i]);
        else if (a->path) return bad_usage("one file at a time: ", argv[i]);
        else a->path = argv[i];
    }
    if (!a->token) a->token = getenv("PADDOCK_TOKEN");
    if (!a->path) return bad_usage("which file?", "");
    if (!a->server) return bad_usage("--server is needed", "");
    if (!a->token || !a->token[0]) return bad_usage("--token is needed", "");
    if (strlen(a->token) > 100) return bad_usage("--token is too long", "");
    if (a->exit_code && !a->dry_run) return bad_usage("--exit-code goes with --dry-run", "");
    return -1;
}

static bool is_needed(const struct apply *a, unsigned kind)
{
    const struct apply_list *list = &a->lists[kind];
    return list->route && (list->count || (apply_kinds[kind].named_by && a->file));
}

static int look(struct apply *a)
{
    for (unsigned k = 0; k < APPLY_KINDS; k++) {
        int code = is_needed(a, k) ? apply_fetch(a, k) : APPLY_DONE;
        if (code) return code;
    }
    apply_check_references(a);
    apply_check_secrets(a);
    return a->fault_count ? APPLY_FAULTY : APPLY_DONE;
}

/* "2 new, 1 changed, 397 the same" */
static void put_counts(const struct apply_list *list)
{
    static const char *const words[] = {[APPLY_NEW] = "new", [APPLY_CHANGED] = "changed", [APPLY_SAME] = "the same"};
    const char *between = "";
    printf("%-16s", list->kind->member);
    for (unsigned state = 0; state < 3; state++) {
        if (!list->states[state]) continue;
        printf("%s%u %s", between, list->states[state], words[state]);
        between = ", ";
    }
    putchar('\n');
}

static int run(struct apply *a)
{
    int code = apply_read_file(a);
    if (!code) code = apply_connect(a);
    if (!code) a->began_ms = loop_now_ms(a->loop);
    if (!code) code = look(a);
    uint32_t to_do = 0;
    for (unsigned k = 0; k < APPLY_KINDS && !code; k++) {
        struct apply_list *list = &a->lists[k];
        if (!list->count) continue;
        apply_compare(a, k, stdout);
        to_do += list->states[APPLY_NEW] + list->states[APPLY_CHANGED];
    }
    for (unsigned k = 0; k < APPLY_KINDS && !code; k++) {
        if (a->lists[k].count) put_counts(&a->lists[k]);
    }
    fflush(stdout);
    if (code) return code;
    if (!to_do) puts("nothing to do: the server is as the file says");
    else if (a->dry_run) puts("dry run: nothing was sent");
    if (a->dry_run) return to_do && a->exit_code ? APPLY_DIFFERS : APPLY_DONE;
    for (unsigned k = 0; k < APPLY_KINDS && !code; k++) code = apply_put(a, k);
    if (to_do && !code) printf("applied: %u sent in %.1f s\n", a->sent, (double)(loop_now_ms(a->loop) - a->began_ms) / 1000);
    return code;
}

static void clean(struct apply *a)
{
    apply_disconnect(a);
    for (unsigned k = 0; k < APPLY_KINDS; k++) {
        struct apply_known_list *known = &a->known[k];
        for (uint32_t i = 0; i < known->page_count; i++) json_in_free(known->pages[i]);
        free(known->pages);
        free(known->at);
        free(a->lists[k].things);
    }
    json_in_free(a->file);
    free(a->text);
}

int apply_main(int argc, char **argv)
{
    struct apply a = {.path = NULL};
    int code = read_words(&a, argc, argv);
    if (code >= 0) return code;
    code = run(&a);
    if (a.fault_count > APPLY_FAULTS_SHOWN) fprintf(stderr, "and %u more\n", a.fault_count - APPLY_FAULTS_SHOWN);
    if (a.fault_count) fprintf(stderr, "paddock apply: nothing was sent: %u faults\n", a.fault_count);
    if (a.refused) fprintf(stderr, "paddock apply: %u sent, %u refused\n", a.sent, a.refused);
    clean(&a);
    return code;
}
