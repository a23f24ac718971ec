// Prints how many nanoseconds a system call takes.
//
//   calls FILE NUMBER trapped|passing
//
// Makes NUMBER calls and writes the mean to FILE. "trapped" is
// setsockopt(SO_KEEPALIVE) of a TCP socket, "passing" is getppid.

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const long number = strtol(argv[2], NULL, 10);
  const int is_trapped = strcmp(argv[3], "trapped") == 0;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  const double start = now_ns();
  for (long i = 0; i < number; ++i) {
    if (is_trapped) {
      setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    } else {
      syscall(SYS_getppid);
    }
  }
  const double each = (now_ns() - start) / (double)number;
  FILE* file = fopen(argv[1], "w");
  if (file == NULL) return 1;
  fprintf(file, "%.1f\n", each);
  return fclose(file);
}
