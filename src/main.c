/* SPDX-License-Identifier: Apache-2.0 */
/* main.c: the one binary: a table of subcommands. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "api/staff_cmd.h"
#include "api/token_cmd.h"
#include "build_id.h"
#include "decode.h"
#include "load/load_cmd.h"
#include "ops/apply.h"
#include "ops/offline.h"
#include "serve.h"
#include "sim/demo.h"
#include "sim/sim_cmd.h"

static const struct command_row {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *text;
} rows[] = {
    {"serve",  serve_main,  "run one node: API, vehicles, journal, tables"},
    {"demo",   demo_main,   "run a city on this machine: a node with simulated vehicles and riders"},
    {"staff",  staff_main,  "make staff who sign in by name and password, change and list them"},
    {"apply",  apply_main,  "declare over HTTP what a file says: cities, prices, vehicles"},
    {"token",  token_main,  "make, list and revoke access tokens"},
    {"check",  check_main,  "verify a data directory: journal, tables, ledger"},
    {"replay", replay_main, "run a journal again and print the state hash"},
    {"backup", backup_main, "copy a data directory, also while it is written"},
    {"decode", decode_main, "show what vehicle frames say"},
    {"load",   load_main,   "put a server of your own under load and measure its answers"},
    {"sim",    sim_main,    "attack everything in a deterministic simulation"},
};

static void help(void)
{
    printf("Paddock %s (build %s) runs a shared fleet of bikes and scooters.\n\nUsage: paddock COMMAND [OPTIONS]\n\n",
           paddock_version, paddock_build_text);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) printf("  %-8s %s\n", rows[i].name, rows[i].text);
    printf("\nSee it work:  paddock demo --data $(mktemp -d)\nEach command explains itself: paddock COMMAND --help\n");
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "--help";
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
        help();
        return 0;
    }
    if (!strcmp(name, "--version")) {
        printf("paddock %s %s\n", paddock_version, paddock_build_text);
        return 0;
    }
    umask(0077); /* what a command makes is its owner's: phone numbers and secrets are among it */
    offline_set_build(paddock_build, paddock_build_text);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!strcmp(name, rows[i].name)) return rows[i].run(argc - 1, argv + 1);
    }
    fprintf(stderr, "paddock: there is no command '%s'; paddock --help lists them\n", name);
    return 2;
}
