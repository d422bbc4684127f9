// Runs one command and says what it took, whole process.
//
//   timed OUT COMMAND ...
//
// Writes to the file OUT: start of the process on the monotonic clock (ns), wall time (ns),
// processor time of user and kernel (ns), peak resident memory (KiB). The command's output is
// discarded; its exit status becomes this program's.
//
// A small C program on purpose: started from a large one, the peak would be the starter's.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long nanoseconds(struct timeval t) { return t.tv_sec * 1000000000LL + t.tv_usec * 1000; }

int main(int count, char **arguments) {
  if (count < 3) {
    fprintf(stderr, "usage: timed OUT COMMAND ...\n");
    return 64;
  }
  int nothing = open("/dev/null", O_WRONLY);
  long long start = now();
  pid_t child = vfork();
  if (child == 0) {
    dup2(nothing, 1);
    execvp(arguments[2], arguments + 2);
    _exit(127);
  }
  int status;
  struct rusage usage;
  if (child < 0 || wait4(child, &status, 0, &usage) < 0) {
    perror("timed");
    return 70;
  }
  long long wall = now() - start;
  FILE *out = fopen(arguments[1], "w");
  if (!out) {
    perror(arguments[1]);
    return 70;
  }
  fprintf(out, "%lld %lld %lld %ld\n", start, wall,
          nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime), usage.ru_maxrss);
  fclose(out);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 70;
}
