// Makes processes that use sockets together, and checks what each of them sees,
// which is the same on Linux. Prints the first result that is wrong.
//
// "processes" runs all checks. "processes CHECK" runs one of them: `hour` is
// for virtual time only, `loop N` prints how long a call takes in real time.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fakes/preload/testdata/checks.h"

// A server that forks for each connection, and two clients.
static void ForkingServer(void) {
  enum { kClients = 2 };
  struct sockaddr_in address;
  const int listener = Listen(&address);
  pid_t clients[kClients];
  for (int i = 0; i < kClients; ++i) {
    clients[i] = Fork();
    if (clients[i] > 0) continue;
    CHECK(close(listener) == 0);
    const int fd = Connect(&address);
    Write(fd, "hello");
    ExpectBytes(fd, "HELLO");
    ExpectEnd(fd);
    _exit(10 + i);
  }
  for (int i = 0; i < kClients; ++i) {
    const int fd = accept(listener, NULL, NULL);
    CHECK(fd >= 0);
    const pid_t child = Fork();
    if (child == 0) {
      ExpectBytes(fd, "hello");
      Write(fd, "HELLO");
      _exit(0);
    }
    CHECK(close(fd) == 0);
    ExpectStatus(child, 0);
  }
  for (int i = 0; i < kClients; ++i) {
    ExpectStatus(clients[i], (10 + i) << 8);
  }
  CHECK(wait(NULL) < 0 && errno == ECHILD);
  CHECK(close(listener) == 0);
}

// The connection of both ends only when the last descriptor is closed. The
// flags of the open file description are shared, FD_CLOEXEC is not.
static void SharedDescriptor(void) {
  int client;
  int server;
  Pair(&client, &server);
  const pid_t child = Fork();
  if (child == 0) {
    CHECK(close(server) == 0);
    Write(client, "a");
    CHECK(fcntl(client, F_SETFL, O_NONBLOCK) == 0);
    CHECK(fcntl(client, F_SETFD, FD_CLOEXEC) == 0);
    _exit(0);
  }
  ExpectStatus(child, 0);
  ExpectBytes(server, "a");
  CHECK((fcntl(client, F_GETFL) & O_NONBLOCK) != 0);
  CHECK(fcntl(client, F_GETFD) == 0);
  char byte;
  CHECK(recv(server, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
  CHECK(close(client) == 0);
  ExpectEnd(server);
  CHECK(close(server) == 0);
}

// The end of a process closes its descriptors, whatever ended it.
static void KilledProcess(void) {
  int client;
  int server;
  Pair(&client, &server);
  int ready[2];
  CHECK(pipe(ready) == 0);
  const pid_t child = Fork();
  if (child == 0) {
    CHECK(close(client) == 0);
    Write(ready[1], "r");
    ExpectEnd(server);  // Blocks until the signal.
    _exit(1);
  }
  CHECK(close(server) == 0);
  ExpectBytes(ready[0], "r");
  CHECK(kill(child, SIGKILL) == 0);
  ExpectEnd(client);
  ExpectStatus(child, SIGKILL);
  CHECK(close(client) == 0 && close(ready[0]) == 0 && close(ready[1]) == 0);
}

// Unread data make it a reset.
static void ResetAtExit(void) {
  int client;
  int server;
  Pair(&client, &server);
  const pid_t child = Fork();
  if (child == 0) {
    CHECK(close(client) == 0);
    struct pollfd readable = {.fd = server, .events = POLLIN};
    CHECK(poll(&readable, 1, -1) == 1);
    exit(0);
  }
  CHECK(close(server) == 0);
  Write(client, "never read");
  ExpectStatus(child, 0);
  char byte;
  CHECK(read(client, &byte, 1) < 0 && errno == ECONNRESET);
  CHECK(close(client) == 0);
}

// SIGPIPE ends the process that has called write(2).
static void PipeSignal(void) {
  int client;
  int server;
  Pair(&client, &server);
  const pid_t child = Fork();
  if (child == 0) {
    CHECK(close(server) == 0);
    CHECK(shutdown(client, SHUT_WR) == 0);
    (void)!write(client, "x", 1);
    _exit(0);
  }
  ExpectStatus(child, SIGPIPE);
  CHECK(close(client) == 0 && close(server) == 0);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int turn;

static void* Play(void* argument) {
  const int me = argument == NULL ? 0 : 1;
  for (int i = 0; i < 20; ++i) {
    pthread_mutex_lock(&mutex);
    while (turn != me) pthread_cond_wait(&condition, &mutex);
    turn = 1 - me;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&mutex);
  }
  return NULL;
}

// Threads of a child wait for each other, while its parent waits for it.
static void ThreadsOfChild(void) {
  const pid_t child = Fork();
  if (child == 0) {
    pthread_t threads[2];
    int client;
    int server;
    Pair(&client, &server);
    CHECK(pthread_create(&threads[0], NULL, &Play, NULL) == 0);
    CHECK(pthread_create(&threads[1], NULL, &Play, &turn) == 0);
    CHECK(pthread_join(threads[0], NULL) == 0);
    CHECK(pthread_join(threads[1], NULL) == 0);
    Write(client, "x");
    ExpectBytes(server, "x");
    exit(5);
  }
  ExpectStatus(child, 5 << 8);
}

static bool is_set;

static void* AwaitSet(void* argument) {
  (void)argument;
  pthread_mutex_lock(&mutex);
  while (!is_set) pthread_cond_wait(&condition, &mutex);
  pthread_mutex_unlock(&mutex);
  return NULL;
}

// The threads of the parent that wait do not take wake-ups of the child, which
// makes its objects anew, as CPython does.
static void ForkWhileThreadsWait(void) {
  pthread_t threads[3];
  for (int i = 0; i < 3; ++i) {
    CHECK(pthread_create(&threads[i], NULL, &AwaitSet, NULL) == 0);
  }
  CHECK(usleep(1000) == 0);
  const pid_t child = Fork();
  if (child == 0) {
    pthread_mutex_init(&mutex, NULL);
    pthread_cond_init(&condition, NULL);
    CHECK(pthread_create(&threads[0], NULL, &AwaitSet, NULL) == 0);
    CHECK(usleep(1000) == 0);
    pthread_mutex_lock(&mutex);
    is_set = true;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&mutex);
    CHECK(pthread_join(threads[0], NULL) == 0);
    exit(6);
  }
  ExpectStatus(child, 6 << 8);
  pthread_mutex_lock(&mutex);
  is_set = true;
  pthread_cond_broadcast(&condition);
  pthread_mutex_unlock(&mutex);
  for (int i = 0; i < 3; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
}

// A pipe is Linux's. Its reader waits while the writer sleeps in virtual time.
static void PipeAfterSleep(void) {
  int fds[2];
  CHECK(pipe(fds) == 0);
  const pid_t child = Fork();
  if (child == 0) {
    const struct timespec time = {.tv_nsec = 200 * 1000 * 1000};
    CHECK(nanosleep(&time, NULL) == 0);
    Write(fds[1], "late");
    _exit(0);
  }
  ExpectBytes(fds[0], "late");
  ExpectStatus(child, 0);
  CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);
}

// A process waits for another one in memory that they share, without a call.
static void SharedMemory(void) {
  volatile int* const is_written =
      mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE,
           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(is_written != MAP_FAILED);
  const pid_t child = Fork();
  if (child == 0) {
    int client;
    int server;
    Pair(&client, &server);
    *is_written = 1;
    _exit(5);
  }
  while (*is_written == 0) {
  }
  ExpectStatus(child, 5 << 8);
  CHECK(munmap((void*)is_written, sizeof(int)) == 0);
}

// forkpty(3): the child has a terminal, and the sockets of its parent.
static void Terminal(void) {
  int client;
  int server;
  int terminal = -1;
  Pair(&client, &server);
  const pid_t child = forkpty(&terminal, NULL, NULL, NULL);
  CHECK(child >= 0);
  if (child == 0) {
    CHECK(isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1);
    CHECK(close(client) == 0);
    Write(STDOUT_FILENO, "terminal");
    Write(server, "socket");
    ExpectEnd(server);
    _exit(4);
  }
  CHECK(close(server) == 0);
  ExpectBytes(terminal, "terminal");
  ExpectBytes(client, "socket");
  CHECK(close(client) == 0);
  ExpectStatus(child, 4 << 8);
  CHECK(close(terminal) == 0);
}

// A child sleeps for an hour, and its parent waits for it.
static void Hour(void) {
  const time_t start = time(NULL);
  const pid_t child = Fork();
  if (child == 0) {
    sleep(3600);
    _exit(0);
  }
  ExpectStatus(child, 0);
  CHECK(time(NULL) - start >= 3600);
}

// Prints the real time of a getsockopt(2).
static void Loop(int count) {
  int client;
  int server;
  Pair(&client, &server);
  struct timespec start;
  struct timespec end;
  // Not the hook, which shows virtual time.
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &start);
  for (int i = 0; i < count; ++i) {
    int value;
    socklen_t size = sizeof(value);
    CHECK(getsockopt(client, SOL_SOCKET, SO_TYPE, &value, &size) == 0);
  }
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &end);
  printf("%.2f us a call\n", ((double)(end.tv_sec - start.tv_sec) * 1e9 +
                              (double)(end.tv_nsec - start.tv_nsec)) /
                                 1e3 / count);
}

static const struct Test kTests[] = {
    {"forking_server", &ForkingServer},
    {"shared_descriptor", &SharedDescriptor},
    {"killed_process", &KilledProcess},
    {"reset_at_exit", &ResetAtExit},
    {"pipe_signal", &PipeSignal},
    {"threads_of_child", &ThreadsOfChild},
    {"fork_while_threads_wait", &ForkWhileThreadsWait},
    {"pipe_after_sleep", &PipeAfterSleep},
    {"shared_memory", &SharedMemory},
    {"terminal", &Terminal},
};

int main(int argc, char** argv) {
  const char* const name = argc > 1 ? argv[1] : "";
  if (strcmp(name, "loop") == 0 && argc > 2) {
    Loop(atoi(argv[2]));
    return 0;
  }
  if (strcmp(name, "hour") == 0) Hour();
  return RunTests(kTests, sizeof(kTests) / sizeof(kTests[0]), name);
}
