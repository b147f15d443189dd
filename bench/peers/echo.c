/* SPDX-License-Identifier: Apache-2.0 */
/* echo: the shortest epoll server that one can write: what comes is sent back. The peer of the durable telemetry bench:
 * what sockets alone cost. Prints its address; ends when its standard input does. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, BUFFER = 65536 };

static void check(int fine, const char *what)
{
    if (fine) return;
    fprintf(stderr, "echo: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void watch(int epoll, int fd)
{
    struct epoll_event add = {.events = EPOLLIN, .data.fd = fd};
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &add) == 0, "epoll_ctl");
}

int main(void)
{
    static char buffer[BUFFER];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    struct epoll_event events[EVENTS];
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0), one = 1;

    check(setsockopt(listening, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0, "setsockopt");
    check(bind(listening, (struct sockaddr *)&at, sizeof at) == 0 && listen(listening, 4096) == 0, "listen");
    check(getsockname(listening, (struct sockaddr *)&at, &len) == 0, "getsockname");
    watch(epoll, listening);
    watch(epoll, STDIN_FILENO);
    printf("127.0.0.1:%d\n", ntohs(at.sin_port));
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == STDIN_FILENO) return 0;
            if (fd == listening) {
                for (int new; (new = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0;) watch(epoll, new);
                continue;
            }
            ssize_t n = read(fd, buffer, sizeof buffer);
            if (n <= 0 || write(fd, buffer, (size_t)n) != n) close(fd);
        }
    }
}
