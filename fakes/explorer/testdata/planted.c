// planted BUG: a program with one bug in an error path. It is the equivalent of
// a scenario in trap_command_test.cc, and knows no class Syscalls. Prints what
// has become of it: "OK", or what a user of the program would notice.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int NewSocket(void) {
  return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int Bind(int fd) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return bind(fd, (struct sockaddr*)&address, sizeof(address));
}

struct Pair {
  int listener;
  int client;
  int server;
};

// The plans are not about these calls. `accepts`: also accepts the connection.
static struct Pair Connect(int accepts) {
  struct Pair pair = {.listener = NewSocket(), .client = NewSocket()};
  struct sockaddr_in address = {0};
  socklen_t size = sizeof(address);
  if (Bind(pair.listener) != 0 || listen(pair.listener, 1) != 0 ||
      getsockname(pair.listener, (struct sockaddr*)&address, &size) != 0 ||
      connect(pair.client, (struct sockaddr*)&address, size) != 0) {
    perror("planted");
    exit(1);
  }
  if (accepts) pair.server = accept4(pair.listener, NULL, NULL, SOCK_CLOEXEC);
  return pair;
}

// Reports an errno, or success.
static void Report(int error) {
  puts(error == 0 ? "OK" : strerrorname_np(error));
}

static int CountDescriptors(void) {
  int count = 0;
  DIR* const folder = opendir("/proc/self/fd");
  while (readdir(folder) != NULL) ++count;
  closedir(folder);
  return count;
}

// --- The bugs ----------------------------------------------------------------

static int LeakyReserve(void) {
  const int fd = NewSocket();
  if (fd < 0) return errno;
  if (Bind(fd) != 0) return errno;  // The bug.
  return close(fd) != 0 ? errno : 0;
}

static void Leak(void) {
  const int before = CountDescriptors();
  const int error = LeakyReserve();
  printf("%d descriptors leaked, ", CountDescriptors() - before);
  Report(error);
}

static void Mask(void) {
  const int fd = NewSocket();
  if (fd < 0) {
    Report(errno);
    return;
  }
  const int bound = Bind(fd) != 0 ? errno : 0;
  // The bug: the first error is lost.
  Report(close(fd) != 0 ? errno : bound);
}

static void Swallow(void) {
  const int fd = NewSocket();
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));  // The bug.
  int value = 0;
  socklen_t size = sizeof(value);
  getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, &size);
  printf("SO_REUSEADDR is %d, ", value);
  Report(close(fd) != 0 ? errno : 0);
}

static void Interrupt(void) {
  const struct Pair pair = Connect(1);
  char byte = 0;
  send(pair.client, "x", 1, MSG_NOSIGNAL);
  Report(recv(pair.server, &byte, 1, 0) < 0 ? errno : 0);  // The bug.
}

static void Spin(void) {
  const struct Pair pair = Connect(0);
  int server = -1;
  do {
    server = accept4(pair.listener, NULL, NULL, SOCK_CLOEXEC);
    // The bug: EMFILE stays until somebody closes a descriptor.
  } while (server < 0 && (errno == EINTR || errno == EMFILE));
  Report(server < 0 ? errno : 0);
}

static void SendPart(void) {
  const struct Pair pair = Connect(1);
  char data[8] = "";
  send(pair.client, "message", 7, MSG_NOSIGNAL);  // The bug.
  close(pair.client);
  recv(pair.server, data, 7, MSG_WAITALL);
  puts(data);
}

int main(int argc, char** argv) {
  static const struct {
    const char* name;
    void (*run)(void);
  } kBugs[] = {
      {"leak", Leak},           {"mask", Mask}, {"swallow", Swallow},
      {"interrupt", Interrupt}, {"spin", Spin}, {"part", SendPart},
  };
  for (size_t i = 0; i < sizeof(kBugs) / sizeof(*kBugs); ++i) {
    if (argc != 2 || strcmp(argv[1], kBugs[i].name) != 0) continue;
    kBugs[i].run();
    return 0;
  }
  return 2;
}
