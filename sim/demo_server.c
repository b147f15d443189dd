/* SPDX-License-Identifier: Apache-2.0 */
/* demo_server.c: see demo_server.h. */
#include "sim/demo_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/must.h"
#include "sim/phone.h"

enum { WORDS_MAX = 8, LINE_MAX_LEN = 400, ARGS_MAX = 2 * DEMO_SETS_MAX + 16 };

void demo_server_init(struct demo_server *s, const char *dir)
{
    *s = (struct demo_server){.dir = dir};
    snprintf(s->ready_path, sizeof s->ready_path, "%s/serve.ready", dir);
    snprintf(s->log_path, sizeof s->log_path, "%s/serve.log", dir);
}

struct err demo_server_set(struct demo_server *s, const char *assignment)
{
    if (s->set_count == DEMO_SETS_MAX) return ERR(INVALID, "too many settings");
    s->sets[s->set_count++] = assignment;
    return NO_ERR;
}

/* In the child: nothing of the demo's is left open, and its death is ours. */
static void become(char *const *args, int log, pid_t parent)
{
    sigset_t none;
    int null = open("/dev/null", O_RDONLY);

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(127);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (null >= 0) dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    close_range(3, ~0u, 0);
    execv("/proc/self/exe", args);
    _exit(127);
}

static pid_t spawn(char *const *args, const char *log_path)
{
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_t parent = getpid(), pid = log >= 0 ? fork() : -1;

    if (pid == 0) become(args, log, parent);
    if (log >= 0) close(log);
    return pid;
}

struct err demo_server_start(struct demo_server *s, int64_t now_us)
{
    char *args[ARGS_MAX];
    unsigned n = 0;

    args[n++] = "paddock";
    args[n++] = "serve";
    args[n++] = "--data";
    args[n++] = (char *)s->dir;
    args[n++] = "--ready-file";
    args[n++] = s->ready_path;
    for (uint32_t i = 0; i < s->set_count; i++) {
        args[n++] = "--set";
        args[n++] = (char *)s->sets[i];
    }
    for (uint32_t i = 0; i < 3 && s->lives; i++) {
        args[n++] = "--set";
        args[n++] = s->kept[i];
    }
    args[n] = NULL;
    unlink(s->ready_path);
    struct stat log;
    s->log_at = stat(s->log_path, &log) ? 0 : (long)log.st_size;
    s->pid = spawn(args, s->log_path);
    if (s->pid < 0) {
        s->pid = 0;
        return ERR(IO, "the server's process cannot be started");
    }
    s->state = DEMO_SERVER_STARTING;
    s->started_us = now_us;
    s->starts++;
    return NO_ERR;
}

static bool read_ready(struct demo_server *s)
{
    static const struct { const char *name, *setting; } rows[3] = {
        {"http", "http.address"}, {"vehicles", "vehicles.address"}, {"admin", "admin.address"}};
    struct text64 *to[3] = {&s->http, &s->vehicles, &s->admin};
    char text[512];
    FILE *f = fopen(s->ready_path, "re");

    if (!f) return false;
    struct bytes said = bytes_of(text, fread(text, 1, sizeof text, f));
    fclose(f);
    for (int i = 0; i < 3; i++) {
        text_clip(to[i], phone_find(said, rows[i].name));
        snprintf(s->kept[i], sizeof s->kept[i], "%s=%.*s", rows[i].setting, to[i]->len, to[i]->at);
    }
    return s->http.len && s->vehicles.len && s->admin.len;
}

enum demo_server_news demo_server_look(struct demo_server *s, int64_t now_us)
{
    int status;

    if (s->state == DEMO_SERVER_DOWN) return DEMO_SERVER_GIVEN_UP;
    if (waitpid(s->pid, &status, WNOHANG) == s->pid) {
        bool was_up = s->state == DEMO_SERVER_UP;
        s->pid = 0;
        s->status = status;
        s->state = DEMO_SERVER_DOWN;
        if (was_up) s->lost_us = now_us;
        /* One that never was up will not be helped by another try. */
        if (!s->lives || s->starts >= DEMO_STARTS_MAX || demo_server_start(s, now_us).code)
            return DEMO_SERVER_GIVEN_UP;
        return was_up ? DEMO_SERVER_LOST : DEMO_SERVER_SAME;
    }
    if (s->state == DEMO_SERVER_UP) return DEMO_SERVER_SAME;
    if (read_ready(s)) {
        s->state = DEMO_SERVER_UP;
        s->starts = 0;
        return s->lives++ ? DEMO_SERVER_BACK : DEMO_SERVER_READY;
    }
    if (now_us - s->started_us < DEMO_START_MS * 1000ll) return DEMO_SERVER_SAME;
    demo_server_kill(s);
    return DEMO_SERVER_GIVEN_UP;
}

int64_t demo_server_down_ms(const struct demo_server *s, int64_t now_us)
{
    return (now_us - s->lost_us) / 1000;
}

const char *demo_server_how(const struct demo_server *s)
{
    static char text[48];

    if (WIFSIGNALED(s->status)) {
        int number = WTERMSIG(s->status);
        if (number == SIGKILL) return "was killed";
        snprintf(text, sizeof text, "died of signal %d", number);
    } else {
        snprintf(text, sizeof text, "ended with code %d", WEXITSTATUS(s->status));
    }
    return text;
}

bool demo_server_was_killed(const struct demo_server *s)
{
    return WIFSIGNALED(s->status) && WTERMSIG(s->status) == SIGKILL;
}

uint64_t demo_server_memory_kib(const struct demo_server *s)
{
    char path[48], text[4096];
    int64_t kib = 0;

    if (!s->pid) return 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)s->pid);
    FILE *f = fopen(path, "re");
    if (!f) return 0;
    struct bytes said = bytes_of(text, fread(text, 1, sizeof text, f));
    fclose(f);
    while (said.len) {
        struct bytes line = bytes_split(&said, '\n');
        if (!bytes_starts(line, "VmRSS:")) continue;
        line = bytes_trim(bytes_of(line.at + 6, line.len - 6));
        if (bytes_scaled(bytes_split(&line, ' '), 0, &kib).code) kib = 0;
        break;
    }
    return (uint64_t)kib;
}

static bool wait_for(pid_t pid, int *status, unsigned most_ms, bool (*hurry)(void))
{
    for (unsigned waited_ms = 0; waited_ms < most_ms && !hurry(); waited_ms += 10) {
        if (waitpid(pid, status, WNOHANG) == pid) return true;
        usleep(10000);
    }
    return false;
}

bool demo_server_stop(struct demo_server *s, bool (*hurry)(void))
{
    if (!s->pid) return false;
    kill(s->pid, SIGTERM);
    bool ended = wait_for(s->pid, &s->status, DEMO_STOP_MS, hurry);
    if (!ended) {
        demo_server_kill(s);
        return false;
    }
    s->pid = 0;
    s->state = DEMO_SERVER_DOWN;
    return WIFEXITED(s->status) && WEXITSTATUS(s->status) == 0;
}

void demo_server_kill(struct demo_server *s)
{
    if (!s->pid) return;
    kill(s->pid, SIGKILL);
    (void)!waitpid(s->pid, &s->status, 0);
    s->pid = 0;
    s->state = DEMO_SERVER_DOWN;
}

void demo_server_last_words(const struct demo_server *s, void *file)
{
    char lines[WORDS_MAX][LINE_MAX_LEN];
    unsigned count = 0;
    FILE *f = fopen(s->log_path, "re");

    if (!f) return;
    if (!fseek(f, s->log_at, SEEK_SET)) {
        while (fgets(lines[count % WORDS_MAX], LINE_MAX_LEN, f)) count++;
    }
    fclose(f);
    for (unsigned i = count > WORDS_MAX ? count - WORDS_MAX : 0; i < count; i++)
        fprintf(file, "  %s", lines[i % WORDS_MAX]);
}

void demo_server_fini(struct demo_server *s)
{
    demo_server_kill(s);
    if (s->dir) unlink(s->ready_path);
}

int demo_server_check(const struct demo_server *s)
{
    char *args[] = {"paddock", "check", "--data", (char *)s->dir, NULL};
    int status;
    pid_t pid = spawn(args, s->log_path);

    if (pid < 0 || waitpid(pid, &status, 0) != pid) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
