#ifndef FAKES_PRELOAD_TESTDATA_CHECKS_H_
#define FAKES_PRELOAD_TESTDATA_CHECKS_H_

// What the test programs of several processes share. Each file that includes it
// is a program of its own, and defines _GNU_SOURCE first.

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Ends the process with status 1 and a message if the condition is wrong.
#define CHECK(condition)                                                  \
  do {                                                                    \
    if (!(condition)) {                                                   \
      printf("line %d: %s: %s\n", __LINE__, #condition, strerror(errno)); \
      fflush(stdout);                                                     \
      _exit(1);                                                           \
    }                                                                     \
  } while (0)

// ---- TCP

// Listens on a free port of 127.0.0.1.
static inline int Listen(struct sockaddr_in* address) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(listener >= 0);
  *address = (struct sockaddr_in){
      .sin_family = AF_INET,
      .sin_addr = {htonl(INADDR_LOOPBACK)},
  };
  socklen_t size = sizeof(*address);
  CHECK(bind(listener, (struct sockaddr*)address, size) == 0);
  CHECK(listen(listener, 16) == 0);
  CHECK(getsockname(listener, (struct sockaddr*)address, &size) == 0);
  return listener;
}

static inline int Connect(const struct sockaddr_in* address) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(fd >= 0);
  CHECK(connect(fd, (const struct sockaddr*)address, sizeof(*address)) == 0);
  return fd;
}

// Makes a connection within the process.
static inline void Pair(int* client, int* server) {
  struct sockaddr_in address;
  const int listener = Listen(&address);
  *client = Connect(&address);
  *server = accept(listener, NULL, NULL);
  CHECK(*server >= 0);
  CHECK(close(listener) == 0);
}

// ---- Bytes

static inline void Write(int fd, const char* text) {
  CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static inline void ExpectBytes(int fd, const char* text) {
  char buffer[64] = "";
  size_t size = 0;
  while (size < strlen(text)) {
    const ssize_t got = read(fd, buffer + size, strlen(text) - size);
    CHECK(got > 0);
    size += (size_t)got;
  }
  CHECK(strcmp(buffer, text) == 0);
}

static inline void ExpectEnd(int fd) {
  char byte;
  CHECK(read(fd, &byte, 1) == 0);
}

// ---- Processes

static inline pid_t Fork(void) {
  const pid_t child = fork();
  CHECK(child >= 0);
  return child;
}

static inline void ExpectStatus(pid_t child, int expected) {
  int status = 0;
  pid_t ended = -1;
  do {
    ended = waitpid(child, &status, 0);
  } while (ended < 0 && errno == EINTR);
  CHECK(ended == child);
  CHECK(status == expected);
}

// ---- Programs

struct Test {
  const char* name;
  void (*run)(void);
};

// Runs all tests, or the one with this name.
static inline int RunTests(const struct Test* tests, size_t count,
                           const char* name) {
  for (size_t i = 0; i < count; ++i) {
    if (name[0] == '\0' || strcmp(name, tests[i].name) == 0) tests[i].run();
  }
  puts("all results are right");
  return 0;
}

#endif  // FAKES_PRELOAD_TESTDATA_CHECKS_H_
