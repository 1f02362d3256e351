/* A workload that watches for a second one: it has a lock of its own, which is none of failover's. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static int lock_fd, log_fd;
static int active;
static char epoch[32];

static void say(const char *what) {
  char line[160];
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  long long ns = now.tv_sec * 1000000000LL + now.tv_nsec;
  int length = snprintf(line, sizeof line, "%s %lld %s %d\n", what, ns, epoch, (int)getpid());
  if (write(log_fd, line, (size_t)length) != length) _exit(99);
}

/* One write, in the order of the kernel: a start is told before the end of what it overlaps. */
static void become_active(const char *given) {
  snprintf(epoch, sizeof epoch, "%.31s", given != NULL && *given != '\0' ? given : "0");
  say(flock(lock_fd, LOCK_EX | LOCK_NB) == 0 ? "start" : "overlap");
  active = 1;
}

static void become_idle(void) {
  if (active) say("end");
  active = 0;
  flock(lock_fd, LOCK_UN);
}

static const char *epoch_of_role_file(void) {
  static char text[4096];
  const char *path = getenv("FAILOVER_ROLE_FILE");
  int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (length <= 0) return "0";
  text[length] = '\0';
  char *found = strstr(text, "\"epoch\":");
  if (found == NULL) return "0";
  found += strlen("\"epoch\":");
  found[strspn(found, "0123456789")] = '\0';
  return found;
}

static void pause_ms(long ms) {
  struct timespec left = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0) continue;
}

int main(int argc, char **argv) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGUSR1);
  sigaddset(&signals, SIGUSR2);
  sigprocmask(SIG_BLOCK, &signals, NULL);

  int ignores_term = 0, hot = 0, disobeys = 0, exit_code = 0;
  long stop_ms = 0, exit_after_ms = -1;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--ignore-term") == 0) ignores_term = 1;
    else if (strcmp(argv[i], "--hot") == 0) hot = 1;
    else if (strcmp(argv[i], "--disobey") == 0) hot = disobeys = 1;
    else if (i + 1 < argc && strcmp(argv[i], "--stop-ms") == 0) stop_ms = atol(argv[++i]);
    else if (i + 1 < argc && strcmp(argv[i], "--exit-after-ms") == 0) exit_after_ms = atol(argv[++i]);
    else if (i + 1 < argc && strcmp(argv[i], "--exit-code") == 0) exit_code = atoi(argv[++i]);
    else return 98;
  }

  char path[4096];
  const char *directory = getenv("WITNESS_DIR");
  if (directory == NULL) return 97;
  snprintf(path, sizeof path, "%s/witness.lock", directory);
  lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  snprintf(path, sizeof path, "%s/witness.log", directory);
  log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (lock_fd < 0 || log_fd < 0) return 96;

  const char *role = getenv("FAILOVER_ROLE");
  if (!hot || (role != NULL && strcmp(role, "primary") == 0)) become_active(getenv("FAILOVER_EPOCH"));
  else { snprintf(epoch, sizeof epoch, "0"); say("standby"); }

  struct timespec limit = {exit_after_ms / 1000, exit_after_ms % 1000 * 1000000};
  for (;;) {
    int got = exit_after_ms < 0 ? sigwaitinfo(&signals, NULL) : sigtimedwait(&signals, NULL, &limit);
    if (got == SIGUSR1 && hot) become_active(epoch_of_role_file());
    else if (got == SIGUSR2 && hot && !disobeys) become_idle();
    else if (got == SIGTERM && ignores_term) say("ignored");
    else if (got == SIGTERM) { pause_ms(stop_ms); become_idle(); return 0; }
    else if (got < 0 && exit_after_ms >= 0) { become_idle(); return exit_code; }
  }
}
