// Interrupts calls by signals, and checks what signal(7) says of them, which is
// the same on Linux. Prints the first result that is wrong.
//
// "signals" runs all checks. "signals CHECK" runs one of them: `from_outside`
// waits for a SIGTERM that somebody else sends.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fakes/preload/testdata/checks.h"
#include "fakes/preload/testdata/handlers.h"

static volatile sig_atomic_t last_value;

static void HandleWithInfo(int signal, siginfo_t* info, void* context) {
  (void)signal;
  (void)context;
  ++handled;
  last_value = info->si_value.sival_int;
}

// ---- The calls

static int client;
static int server;
static int listener;
static int counter;

static int Receive(void) {
  char byte;
  return (int)recv(client, &byte, 1, 0);
}
static int Read(void) {
  char byte;
  return (int)read(client, &byte, 1);
}
static int Accept(void) { return accept(listener, NULL, NULL); }
static int ReadCounter(void) {
  uint64_t value;
  return (int)read(counter, &value, sizeof(value));
}
static int Poll(void) {
  struct pollfd one = {.fd = client, .events = POLLIN};
  return poll(&one, 1, -1);
}
static int Select(void) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(client, &set);
  return select(client + 1, &set, NULL, NULL, NULL);
}
static int EpollWait(void) {
  const int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, client, &event) == 0);
  const int result = epoll_wait(epoll, &event, 1, -1);
  const int error = errno;
  CHECK(close(epoll) == 0);
  errno = error;
  return result;
}
static int Sleep(void) {
  const struct timespec time = {.tv_sec = 1000};
  struct timespec left;
  const int result = nanosleep(&time, &left);
  CHECK(result == 0 || (left.tv_sec > 900 && left.tv_sec < 1000));
  return result;
}
static int Pause(void) { return pause(); }
static int SemWait(void) {
  sem_t semaphore;
  CHECK(sem_init(&semaphore, 0, 0) == 0);
  return sem_wait(&semaphore);
}
// A native descriptor.
static int ReadPipe(void) {
  int fds[2];
  char byte;
  CHECK(pipe(fds) == 0);
  const int result = (int)read(fds[0], &byte, 1);
  const int error = errno;
  CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);
  errno = error;
  return result;
}

// From a native pipe to a socket, and back.
static int Splice(bool from_pipe) {
  int fds[2];
  CHECK(pipe(fds) == 0);
  const int result =
      (int)(from_pipe ? splice(fds[0], NULL, client, NULL, 100, 0)
                      : splice(client, NULL, fds[1], NULL, 100, 0));
  const int error = errno;
  CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);
  errno = error;
  return result;
}
static int SpliceFromPipe(void) { return Splice(true); }
static int SpliceToPipe(void) { return Splice(false); }

struct Call {
  const char* name;
  int (*make)(void);
  bool restarts;  // With SA_RESTART.
};
static const struct Call kCalls[] = {
    {"recv", &Receive, true},
    {"read", &Read, true},
    {"accept", &Accept, true},
    {"read of an eventfd", &ReadCounter, true},
    {"poll", &Poll, false},
    {"select", &Select, false},
    {"epoll_wait", &EpollWait, false},
    {"nanosleep", &Sleep, false},
    {"pause", &Pause, false},
    {"sem_wait", &SemWait, true},
    {"read of a pipe", &ReadPipe, true},
    {"splice from a pipe", &SpliceFromPipe, true},
    {"splice to a pipe", &SpliceToPipe, true},
};

static void Open(void) {
  struct sockaddr_in address;
  listener = Listen(&address);
  Pair(&client, &server);
  counter = eventfd(0, 0);
  CHECK(counter >= 0);
}
static void Close(void) {
  CHECK(close(listener) == 0 && close(client) == 0 && close(server) == 0 &&
        close(counter) == 0);
}

static const struct Call kSleep = {"nanosleep", &Sleep, false};

static void ExpectInterrupted(const struct Call* call) {
  const int result = call->make();
  if (result == -1 && errno == EINTR && handled > 0) return;
  printf("%s: %d, %s, %d handlers\n", call->name, result, strerror(errno),
         (int)handled);
  fflush(stdout);
  _exit(1);
}

// A handler without SA_RESTART ends every call that waits.
static void Interrupted(void) {
  Open();
  for (size_t i = 0; i < sizeof(kCalls) / sizeof(kCalls[0]); ++i) {
    Install(SIGALRM, 0);
    AlarmAfter(20);
    ExpectInterrupted(&kCalls[i]);
  }
  Close();
}

// With SA_RESTART, some calls go on. The second handler ends them.
static void Restarted(void) {
  Open();
  for (size_t i = 0; i < sizeof(kCalls) / sizeof(kCalls[0]); ++i) {
    Install(SIGUSR1, 0);
    Install(SIGALRM, SA_RESTART);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
                             .sigev_signo = SIGUSR1};
    const struct itimerspec later = {.it_value.tv_nsec = 60 * 1000 * 1000};
    timer_t timer;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    CHECK(timer_settime(timer, 0, &later, NULL) == 0);
    AlarmAfter(20);
    ExpectInterrupted(&kCalls[i]);
    if ((handled == 2) != kCalls[i].restarts) {
      printf("%s: %d handlers\n", kCalls[i].name, (int)handled);
      fflush(stdout);
      _exit(1);
    }
    CHECK(timer_delete(timer) == 0);
  }
  Close();
}

// SO_RCVTIMEO makes recv(2) a call that is not restarted.
static void Timeout(void) {
  Open();
  const struct timeval hour = {.tv_sec = 3600};
  CHECK(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &hour, sizeof(hour)) == 0);
  Install(SIGALRM, SA_RESTART);
  AlarmAfter(20);
  ExpectInterrupted(&kCalls[0]);
  Close();
}

// A signal in the middle of a sendfile(2) ends it with the number of bytes that
// it has sent. Once the socket is full, the result is EINTR.
static void SendFilePart(void) {
  enum { kSize = 64 << 20 };
  Open();
  const int file = memfd_create("file", 0);
  CHECK(file >= 0 && ftruncate(file, kSize) == 0);
  Install(SIGALRM, SA_RESTART);
  off_t offset = 0;
  AlarmAfter(200);
  ssize_t sent = sendfile(client, file, &offset, kSize);
  CHECK(sent > 0 && sent < kSize && offset == sent && handled == 1);
  Install(SIGALRM, 0);
  while (sent > 0) {
    AlarmAfter(200);
    const off_t before = offset;
    sent = sendfile(client, file, &offset, kSize);
    CHECK(offset == before + (sent > 0 ? sent : 0));
  }
  CHECK(sent == -1 && errno == EINTR);
  CHECK(close(file) == 0);
  Close();
}

// A handler makes calls itself, and what it writes ends the restarted call.
static void HandlerWrites(void) {
  Open();
  Install(SIGALRM, SA_RESTART);
  written_by_handler = server;
  AlarmAfter(20);
  CHECK(Receive() == 1 && handled == 1);
  written_by_handler = -1;
  Close();
}

// ppoll(2) and sigsuspend(2) unblock a signal that is pending already.
static void Masks(void) {
  Open();
  Install(SIGUSR1, SA_RESTART);
  sigset_t none;
  sigemptyset(&none);
  const sigset_t usr1 = Block(SIGUSR1);
  CHECK(kill(getpid(), SIGUSR1) == 0 && handled == 0);
  struct pollfd one = {.fd = client, .events = POLLIN};
  CHECK(ppoll(&one, 1, NULL, &none) == -1 && errno == EINTR && handled == 1);
  CHECK(raise(SIGUSR1) == 0 && handled == 1);
  CHECK(sigsuspend(&none) == -1 && errno == EINTR && handled == 2);
  // The mask is the old one again.
  CHECK(raise(SIGUSR1) == 0 && handled == 2);
  sigset_t pending;
  CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1) == 1);
  CHECK(sigprocmask(SIG_UNBLOCK, &usr1, NULL) == 0 && handled == 3);
  Close();
}

static void* ReceiveInThread(void* result) {
  *(int*)result = Receive() == -1 ? errno : 0;
  return NULL;
}

// pthread_kill(3) ends the call of a thread, and only that.
static void OtherThread(void) {
  Open();
  Install(SIGUSR1, 0);
  pthread_t thread;
  int result = -1;
  CHECK(pthread_create(&thread, NULL, &ReceiveInThread, &result) == 0);
  // The thread sleeps when this has returned.
  CHECK(usleep(20000) == 0);
  CHECK(pthread_kill(thread, SIGUSR1) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(result == EINTR && handled == 1);
  Close();
}

static void* RaiseLater(void* main_thread) {
  CHECK(usleep(20000) == 0);
  CHECK(pthread_kill(*(pthread_t*)main_thread, SIGUSR1) == 0);
  while (handled == 0) CHECK(usleep(1000) == 0);
  return NULL;
}

// pthread_join(3) goes on waiting, and the handler runs at once.
static void HandlerDuringJoin(void) {
  Install(SIGUSR1, 0);
  pthread_t self = pthread_self();
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, &RaiseLater, &self) == 0);
  CHECK(pthread_join(thread, NULL) == 0 && handled == 1);
}

// Signals queue up with their values, and come once each.
static void Values(void) {
  struct sigaction action = {.sa_flags = SA_SIGINFO};
  action.sa_sigaction = &HandleWithInfo;
  const int number = SIGRTMIN + 1;
  CHECK(sigaction(number, &action, NULL) == 0);
  handled = 0;
  const sigset_t set = Block(number);
  for (int i = 1; i <= 3; ++i) {
    CHECK(sigqueue(getpid(), number, (union sigval){.sival_int = i}) == 0);
  }
  CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
  CHECK(handled == 3 && last_value == 3);
}

// The end of a child interrupts its parent.
static void ChildEnds(void) {
  Open();
  Install(SIGCHLD, 0);
  const pid_t child = Fork();
  if (child == 0) {
    CHECK(usleep(20000) == 0);
    _exit(3);
  }
  ExpectInterrupted(&kSleep);
  ExpectStatus(child, 3 << 8);
  CHECK(handled == 1);
  // waitpid(2) finds the child before the signal ends it.
  const pid_t second = Fork();
  if (second == 0) {
    CHECK(usleep(20000) == 0);
    _exit(4);
  }
  int status = 0;
  CHECK(waitpid(second, &status, 0) == second && status == 4 << 8);
  CHECK(handled == 2);
  CHECK(signal(SIGCHLD, SIG_DFL) == &Handle);
  Close();
}

// A signal interrupts a call of another process. Its default action ends it.
static void OtherProcess(void) {
  Open();
  Install(SIGTERM, 0);
  const pid_t child = Fork();
  if (child == 0) {
    Install(SIGTERM, 0);
    CHECK(write(client, "r", 1) == 1);
    ExpectInterrupted(&kSleep);
    CHECK(signal(SIGTERM, SIG_DFL) == &Handle);
    CHECK(write(client, "d", 1) == 1);
    Sleep();
    _exit(1);
  }
  char byte;
  CHECK(read(server, &byte, 1) == 1 && byte == 'r');
  // The child waits when this has returned.
  CHECK(usleep(20000) == 0);
  CHECK(kill(child, SIGTERM) == 0);
  CHECK(read(server, &byte, 1) == 1 && byte == 'd');
  CHECK(kill(child, SIGTERM) == 0);
  ExpectStatus(child, SIGTERM);
  CHECK(handled == 0);
  Close();
}

// waitpid(2) ends with EINTR while the child lives.
static void WaitInterrupted(void) {
  Open();
  Install(SIGALRM, 0);
  const pid_t child = Fork();
  if (child == 0) {
    char byte;
    _exit(read(client, &byte, 1) == 1 ? 5 : 1);
  }
  AlarmAfter(20);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == -1 && errno == EINTR && handled == 1);
  CHECK(write(server, "x", 1) == 1);
  ExpectStatus(child, 5 << 8);
  Close();
}

// Waits for SIGTERM, with a native descriptor. Prints the ID of the process
// before.
static void FromOutside(void) {
  Open();
  Install(SIGTERM, 0);
  sigset_t none;
  sigemptyset(&none);
  Block(SIGTERM);
  printf("%d\n", (int)getpid());
  fflush(stdout);
  struct pollfd both[] = {{.fd = client, .events = POLLIN},
                          {.fd = STDIN_FILENO, .events = POLLIN}};
  CHECK(ppoll(both, 2, NULL, &none) == -1 && errno == EINTR && handled == 1);
}

static const struct Test kTests[] = {
    {"interrupted", &Interrupted},
    {"restarted", &Restarted},
    {"timeout", &Timeout},
    {"send_file_part", &SendFilePart},
    {"handler_writes", &HandlerWrites},
    {"masks", &Masks},
    {"other_thread", &OtherThread},
    {"handler_during_join", &HandlerDuringJoin},
    {"values", &Values},
    {"child_ends", &ChildEnds},
    {"other_process", &OtherProcess},
    {"wait_interrupted", &WaitInterrupted},
};

int main(int argc, char** argv) {
  const char* const name = argc > 1 ? argv[1] : "";
  if (strcmp(name, "from_outside") == 0) FromOutside();
  return RunTests(kTests, sizeof(kTests) / sizeof(kTests[0]), name);
}
