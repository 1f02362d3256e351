/*
 * A workload that writes every other millisecond: the time to a file of its own, in a directory that all hosts
 * share, and its epoch to a server that checks epochs. It is killed at any instant, so nothing waits for an end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_NS 2000000L
#define RECONNECT_NS 50000000LL

static long long now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static const char *required(const char *name) {
  const char *value = getenv(name);
  if (value == NULL || *value == '\0') exit(97);
  return value;
}

static struct sockaddr_in server;

static int start_connecting(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(fd, (struct sockaddr *)&server, sizeof server) != 0 && errno != EINPROGRESS) {
    close(fd);
    return -1;
  }
  return fd;
}

int main(void) {
  const char *directory = required("WRITER_DIR"), *epoch = required("FAILOVER_EPOCH");
  const char *node = required("FAILOVER_NODE");
  char path[4096];
  snprintf(path, sizeof path, "%s/writer.lock", directory);
  int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  const char *alone = flock(lock, LOCK_EX | LOCK_NB) == 0 ? "alone" : "beside";
  snprintf(path, sizeof path, "%s/%s.%s.%d.run", directory, epoch, node, (int)getpid());
  int log = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (lock < 0 || log < 0) return 96;
  server.sin_family = AF_INET;
  server.sin_port = htons((unsigned short)atoi(required("RESOURCE_PORT")));
  if (inet_pton(AF_INET, required("RESOURCE_HOST"), &server.sin_addr) != 1) return 95;

  char line[160], order[64];
  int order_length = snprintf(order, sizeof order, "%s\n", epoch);
  long long first = now(), connect_after = 0;
  int fd = -1;
  for (int count = 1;; count++) {
    long long last = now();
    int length = snprintf(line, sizeof line, "%020lld %020lld %010d %s\n", first, last, count, alone);
    if (pwrite(log, line, (size_t)length, 0) != length) return 99;
    if (fd < 0 && last >= connect_after) {
      connect_after = last + RECONNECT_NS;
      fd = start_connecting();
    }
    if (fd >= 0 && send(fd, order, (size_t)order_length, MSG_NOSIGNAL) < 0 &&
        errno != EAGAIN && errno != EINPROGRESS && errno != ENOTCONN) {
      close(fd);
      fd = -1;
    }
    struct timespec pause = {0, PERIOD_NS};
    nanosleep(&pause, NULL);
  }
}
