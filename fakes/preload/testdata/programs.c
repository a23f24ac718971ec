// Executes programs that use the sockets of the one before, and checks what
// each of them sees, which is the same on Linux. Prints the first result that
// is wrong.
//
// "programs" runs all checks. "programs CHECK" runs one of them: `execute`
// executes another program without a child.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fakes/preload/testdata/checks.h"

extern char** environ;

static const char* program;

// "programs executed FD CLOSED": the other side of Executed().
static int RunExecuted(int fd, int closed) {
  CHECK(fcntl(closed, F_GETFD) < 0 && errno == EBADF);
  struct sockaddr_in name;
  socklen_t size = sizeof(name);
  CHECK(getpeername(fd, (struct sockaddr*)&name, &size) == 0);
  ExpectBytes(fd, "ping");
  Write(fd, "pong");
  return 7;
}

// Descriptors stay open over execve(2), except those with FD_CLOEXEC.
static void Executed(bool spawns) {
  int client;
  int server;
  int closed_client;
  int closed_server;
  Pair(&client, &server);
  Pair(&closed_client, &closed_server);
  CHECK(fcntl(closed_server, F_SETFD, FD_CLOEXEC) == 0);
  CHECK(fcntl(closed_client, F_SETFD, FD_CLOEXEC) == 0);
  CHECK(fcntl(client, F_SETFD, FD_CLOEXEC) == 0);
  char numbers[2][16];
  snprintf(numbers[0], sizeof(numbers[0]), "%d", server);
  snprintf(numbers[1], sizeof(numbers[1]), "%d", closed_server);
  char* arguments[] = {(char*)program, "executed", numbers[0], numbers[1],
                       NULL};
  pid_t child = -1;
  if (spawns) {
    CHECK(posix_spawn(&child, program, NULL, NULL, arguments, environ) == 0);
  } else {
    child = Fork();
    if (child == 0) {
      execv(program, arguments);
      _exit(127);
    }
  }
  CHECK(close(server) == 0 && close(closed_server) == 0);
  ExpectEnd(closed_client);
  Write(client, "ping");
  ExpectBytes(client, "pong");
  ExpectEnd(client);
  ExpectStatus(child, 7 << 8);
  CHECK(close(client) == 0 && close(closed_client) == 0);
}

// "programs echo": the other side of Streams().
static int RunEcho(void) {
  char line[64];
  CHECK(fileno(stdin) == STDIN_FILENO && fileno(stdout) == STDOUT_FILENO);
  CHECK(fgets(line, sizeof(line), stdin) != NULL);
  printf("again %s", line);
  return 9;
}

// The streams of the C library, on sockets in place of standard input and
// output.
static void Streams(void) {
  int client;
  int server;
  Pair(&client, &server);
  const pid_t child = Fork();
  if (child == 0) {
    char line[64];
    CHECK(close(client) == 0);
    CHECK(dup2(server, STDIN_FILENO) == STDIN_FILENO);
    CHECK(dup2(server, STDOUT_FILENO) == STDOUT_FILENO);
    CHECK(close(server) == 0);
    CHECK(fgets(line, sizeof(line), stdin) != NULL);
    CHECK(printf("%s", line) > 0 && fflush(stdout) == 0);
    execl(program, program, "echo", NULL);
    _exit(127);
  }
  CHECK(close(server) == 0);
  Write(client, "one\n");
  ExpectBytes(client, "one\n");
  Write(client, "two\n");
  ExpectBytes(client, "again two\n");
  ExpectEnd(client);
  ExpectStatus(child, 9 << 8);
  CHECK(close(client) == 0);
}

// "programs epoll EPOLL FD": the other side of EpollOverExec().
static int RunEpoll(int epoll, int fd) {
  struct epoll_event events[2];
  char byte;
  // The native member has an event after some time, the other one at once.
  CHECK(epoll_wait(epoll, events, 2, -1) == 1 && events[0].data.u32 == 2);
  CHECK(read(fd, &byte, 1) == 1 && byte == 's');
  Write(fd, "k");
  CHECK(epoll_wait(epoll, events, 2, -1) == 1 && events[0].data.u32 == 1);
  return 5;
}

// An epoll keeps its members over execve(2): a pipe, which is native, and a
// socket.
static void EpollOverExec(void) {
  int client;
  int server;
  int fds[2];
  Pair(&client, &server);
  CHECK(pipe(fds) == 0);
  const int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = 1};
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event) == 0);
  event.data.u32 = 2;
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, server, &event) == 0);
  const pid_t child = Fork();
  if (child == 0) {
    CHECK(close(client) == 0 && close(fds[1]) == 0);
    char numbers[2][16];
    snprintf(numbers[0], sizeof(numbers[0]), "%d", epoll);
    snprintf(numbers[1], sizeof(numbers[1]), "%d", server);
    execl(program, program, "epoll", numbers[0], numbers[1], NULL);
    _exit(127);
  }
  CHECK(close(server) == 0 && close(epoll) == 0 && close(fds[0]) == 0);
  Write(client, "s");
  ExpectBytes(client, "k");
  CHECK(usleep(20000) == 0);
  Write(fds[1], "p");
  ExpectStatus(child, 5 << 8);
  CHECK(close(client) == 0 && close(fds[1]) == 0);
}

// "programs successor LISTENER": the other side of ExecutedInPlace().
static int RunSuccessor(int listener) {
  struct sockaddr_in address;
  socklen_t size = sizeof(address);
  CHECK(getsockname(listener, (struct sockaddr*)&address, &size) == 0);
  const int client = Connect(&address);
  const int server = accept(listener, NULL, NULL);
  CHECK(server >= 0);
  Write(client, "x");
  ExpectBytes(server, "x");
  puts("all results are right");
  return 0;
}

// The process executes another program, without a child.
static void ExecuteInPlace(void) {
  struct sockaddr_in address;
  char number[16];
  snprintf(number, sizeof(number), "%d", Listen(&address));
  execlp(program, program, "successor", number, NULL);
  _exit(127);
}

// The children of system(3) and popen(3) belong to the tree.
static void Shells(void) {
  struct sockaddr_in address;
  const int listener = Listen(&address);
  CHECK(fcntl(listener, F_SETFD, FD_CLOEXEC) == 0);
  const int port = ntohs(address.sin_port);
  char command[256];
  snprintf(command, sizeof(command), "%s client %d", program, port);
  CHECK(system(command) == 3 << 8);
  FILE* const stream = popen(command, "r");
  CHECK(stream != NULL);
  char line[64];
  CHECK(fgets(line, sizeof(line), stream) != NULL);
  CHECK(strcmp(line, "connected\n") == 0);
  CHECK(pclose(stream) == 3 << 8);
  CHECK(close(listener) == 0);
}

static int RunClient(int port) {
  const struct sockaddr_in address = {
      .sin_family = AF_INET,
      .sin_port = htons((uint16_t)port),
      .sin_addr = {htonl(INADDR_LOOPBACK)},
  };
  CHECK(close(Connect(&address)) == 0);
  puts("connected");
  return 3;
}

static void ExecutedByFork(void) { Executed(false); }
static void ExecutedBySpawn(void) { Executed(true); }

static const struct Test kTests[] = {
    {"executed_by_fork", &ExecutedByFork},
    {"executed_by_spawn", &ExecutedBySpawn},
    {"streams", &Streams},
    {"epoll_over_exec", &EpollOverExec},
    {"shells", &Shells},
};

int main(int argc, char** argv) {
  program = argv[0];
  const char* const name = argc > 1 ? argv[1] : "";
  if (strcmp(name, "executed") == 0 && argc > 3) {
    return RunExecuted(atoi(argv[2]), atoi(argv[3]));
  }
  if (strcmp(name, "epoll") == 0 && argc > 3) {
    return RunEpoll(atoi(argv[2]), atoi(argv[3]));
  }
  if (strcmp(name, "successor") == 0 && argc > 2) {
    return RunSuccessor(atoi(argv[2]));
  }
  if (strcmp(name, "echo") == 0) return RunEcho();
  if (strcmp(name, "execute") == 0) ExecuteInPlace();
  if (strcmp(name, "client") == 0 && argc > 2) return RunClient(atoi(argv[2]));
  return RunTests(kTests, sizeof(kTests) / sizeof(kTests[0]), name);
}
