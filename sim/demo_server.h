/* SPDX-License-Identifier: Apache-2.0 */
/* demo_server.h: the demo's server: this binary's `serve` as a child process, watched, and started
 * again when it dies.
 *
 *     DOWN ──start──► STARTING ──ready file──► UP ──died──► DOWN
 *
 * The child has a process group of its own, so that Ctrl-C reaches it through the demo, in order; it
 * ends when the demo is killed. Its words go to DIR/serve.log. After the first start it keeps its
 * addresses.
 * Owner   init/fini
 * Thread  main */
#ifndef SIM_DEMO_SERVER_H
#define SIM_DEMO_SERVER_H

#include <sys/types.h>

#include "base/text.h"

enum { DEMO_SETS_MAX = 64, DEMO_PATH_MAX = 1200, DEMO_START_MS = 60000, DEMO_STOP_MS = 20000,
       DEMO_STARTS_MAX = 3 };

enum demo_server_state { DEMO_SERVER_DOWN, DEMO_SERVER_STARTING, DEMO_SERVER_UP };
/* READY: for the first time. LOST: it died and is being started again. GIVEN_UP: it does not start;
 * its last words say more. */
enum demo_server_news { DEMO_SERVER_SAME, DEMO_SERVER_READY, DEMO_SERVER_LOST, DEMO_SERVER_BACK,
                        DEMO_SERVER_GIVEN_UP };

struct demo_server {
    const char *dir;
    const char *sets[DEMO_SETS_MAX];   /* name=value, borrowed */
    uint32_t set_count, lives, starts; /* starts: in vain, since it was last up */
    enum demo_server_state state;
    pid_t pid;
    int status;                        /* of its last death, as waitpid tells */
    int64_t started_us, lost_us;       /* lost: when it was last seen to be gone */
    struct text64 http, vehicles, admin;
    char ready_path[DEMO_PATH_MAX], log_path[DEMO_PATH_MAX];
    char kept[3][96];                  /* settings of the addresses that it got */
    long log_at;                       /* where the words of its present life begin */
};

void demo_server_init(struct demo_server *s, const char *dir);
/* INVALID: no room for so many. */
MUST_USE struct err demo_server_set(struct demo_server *s, const char *assignment);
MUST_USE struct err demo_server_start(struct demo_server *s, int64_t now_us);
/* Never waits. */
enum demo_server_news demo_server_look(struct demo_server *s, int64_t now_us);
/* How long it was gone, from its death to being ready. */
int64_t demo_server_down_ms(const struct demo_server *s, int64_t now_us);
/* "was killed", "ended with code 1". */
const char *demo_server_how(const struct demo_server *s);
bool demo_server_was_killed(const struct demo_server *s); /* by SIGKILL */
uint64_t demo_server_memory_kib(const struct demo_server *s);
/* Asks it to end, waits, kills it when it does not or when `hurry` says so. True: it ended in order. */
bool demo_server_stop(struct demo_server *s, bool (*hurry)(void));
void demo_server_kill(struct demo_server *s);
/* Prints the last words of its log, for people. */
void demo_server_last_words(const struct demo_server *s, void *file);
void demo_server_fini(struct demo_server *s);

/* `check` on its data, silently: its exit code, -1 when it could not be run. */
int demo_server_check(const struct demo_server *s);

#endif
