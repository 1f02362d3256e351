// The benchmark's workload: writes when its first instruction ran and when it was told to end, on the
// clock that every process of the machine shares (CLOCK_MONOTONIC, ns). With `hot` it runs everywhere, and
// writes when SIGUSR1 told it that it is active; with `stubborn` it does not end on SIGTERM.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int out;

static void stamp(const char *what) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  char line[96];
  const char *epoch = getenv("FAILOVER_EPOCH");
  int length = snprintf(line, sizeof line, "%s %lld%09ld %d %s\n", what, (long long)now.tv_sec,
                        now.tv_nsec, getpid(), epoch ? epoch : "0");
  if (write(out, line, length) != length) _exit(1);
}

static void ended(int signal) {
  (void)signal;
  stamp("end");
  _exit(0);
}

static void told(int signal) {
  (void)signal;
  stamp("start");
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  out = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (out < 0) return 1;
  const char *mode = argc > 2 ? argv[2] : "";
  if (strcmp(mode, "hot") == 0) signal(SIGUSR1, told);
  else stamp("start");
  signal(SIGTERM, strcmp(mode, "stubborn") == 0 ? SIG_IGN : ended);
  for (;;) pause();
}
