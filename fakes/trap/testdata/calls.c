// Prints how many nanoseconds a system call takes.
//
//   calls FILE NUMBER trapped|passing|filtered
//
// Makes NUMBER batches of 100 calls and writes the median to FILE: the machine
// interrupts some of them. "trapped" is
// setsockopt(SO_KEEPALIVE) of a TCP socket, "passing" is getppid, and
// "filtered" is getppid with a seccomp filter that lets everything pass.

#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 100 };

static double now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int install_filter(void) {
  struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
  const struct sock_fprog program = {1, &allow};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int compare(const void* a, const void* b) {
  const double x = *(const double*)a;
  const double y = *(const double*)b;
  return (x > y) - (x < y);
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const long number = strtol(argv[2], NULL, 10);
  const int is_trapped = strcmp(argv[3], "trapped") == 0;
  if (strcmp(argv[3], "filtered") == 0 && install_filter() != 0) return 1;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  double* each = calloc((size_t)number, sizeof(*each));
  if (each == NULL) return 1;
  for (long i = 0; i < number; ++i) {
    const double start = now_ns();
    for (int j = 0; j < BATCH; ++j) {
      if (is_trapped) {
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
      } else {
        syscall(SYS_getppid);
      }
    }
    each[i] = (now_ns() - start) / BATCH;
  }
  qsort(each, (size_t)number, sizeof(*each), compare);
  FILE* file = fopen(argv[1], "w");
  if (file == NULL) return 1;
  fprintf(file, "%.1f\n", each[number / 2]);
  free(each);
  return fclose(file);
}
