/* SPDX-License-Identifier: Apache-2.0 */
/* process.c: see process.h. Linux's /proc, read at each call: once a scrape. */
#include "ops/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

static void gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
    buf_put_text(out, "# HELP ");
    buf_put_text(out, name);
    buf_put_char(out, ' ');
    buf_put_text(out, help);
    buf_put_text(out, "\n# TYPE ");
    buf_put_text(out, name);
    buf_put_text(out, " gauge\n");
    buf_put_text(out, name);
    buf_put_char(out, ' ');
    buf_put_u64(out, value);
    buf_put_char(out, '\n');
}

/* The n-th word (from 0) of a small file, as a number. */
static bool word_of(const char *path, unsigned n, uint64_t *out)
{
    char text[1024];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t len = read(fd, text, sizeof text);
    close(fd);
    struct bytes in = bytes_of(text, len > 0 ? (size_t)len : 0);
    /* A process's name stands in brackets and may hold spaces: words are counted behind it. */
    for (size_t i = in.len; i-- > 0;) {
        if (in.at[i] != ')') continue;
        in = bytes_of(in.at + i + 2, in.len > i + 2 ? in.len - i - 2 : 0);
        break;
    }
    struct bytes word = bytes_of(NULL, 0);
    for (unsigned i = 0; i <= n; i++) word = bytes_split(&in, ' ');
    return !bytes_u64(bytes_trim(word), 18, out).code;
}

static uint64_t open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    uint64_t count = 0;
    if (!d) return 0;
    for (const struct dirent *e; (e = readdir(d)) != NULL;) count += e->d_name[0] != '.';
    closedir(d);
    return count - 1; /* the one that reads */
}

/* Seconds since 1970: start in ticks since boot, from the wall clock and the time since boot. */
static uint64_t started_s(uint64_t start_ticks)
{
    struct timespec wall, boot;
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return (uint64_t)(wall.tv_sec - boot.tv_sec) + start_ticks / (uint64_t)sysconf(_SC_CLK_TCK);
}

void process_metrics(const char *dir, struct buf *out)
{
    enum { STATM_RESIDENT = 1, STAT_START = 19 }; /* proc(5); STAT_START counts from the state, behind the name */
    struct rlimit files;
    struct statvfs disk;
    uint64_t value, fds = open_descriptors();
    if (word_of("/proc/self/statm", STATM_RESIDENT, &value)) {
        gauge(out, "process_resident_memory_bytes", "Memory in RAM.", value * (uint64_t)sysconf(_SC_PAGESIZE));
    }
    if (word_of("/proc/self/stat", STAT_START, &value)) {
        gauge(out, "process_start_time_seconds", "When the process began, since 1970.", started_s(value));
    }
    if (fds) gauge(out, "process_open_fds", "Descriptors in use.", fds);
    if (!getrlimit(RLIMIT_NOFILE, &files)) gauge(out, "process_max_fds", "Descriptors allowed.", files.rlim_cur);
    if (statvfs(dir, &disk)) return;
    gauge(out, "paddock_data_free_bytes", "Room left on the data directory's file system.",
          (uint64_t)disk.f_bavail * disk.f_frsize);
    gauge(out, "paddock_data_size_bytes", "Size of that file system.", (uint64_t)disk.f_blocks * disk.f_frsize);
}
