// Measures calls by a clock that no hook sees.
//
//   cost          ends
//   cost calls N  calls getsockname(2) N times, and prints the nanoseconds that
//                 each call took
//   cost connect  connects to 127.0.0.2, which must not answer, and prints the
//                 seconds until the program got ETIMEDOUT

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t RealNanoseconds(void) {
  struct timespec now;
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int Calls(int64_t count) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in addr;
  const int64_t start = RealNanoseconds();
  for (int64_t i = 0; i < count; ++i) {
    socklen_t size = sizeof(addr);
    if (getsockname(fd, (struct sockaddr*)&addr, &size) != 0) return 1;
  }
  printf("%f\n", (double)(RealNanoseconds() - start) / (double)count);
  return 0;
}

static int Connect(void) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in addr = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1),
                             .sin_port = htons(80)};
  const time_t start = time(NULL);
  if (connect(fd, (struct sockaddr*)&addr, sizeof(addr)) == 0) return 1;
  if (errno != ETIMEDOUT) return 1;
  printf("%d\n", (int)(time(NULL) - start));
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 3 && strcmp(argv[1], "calls") == 0) return Calls(atoll(argv[2]));
  if (argc == 2 && strcmp(argv[1], "connect") == 0) return Connect();
  return argc == 1 ? 0 : 1;
}
