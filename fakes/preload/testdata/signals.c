// Interrupts calls by signals, and checks what signal(7) says of them, which is
// the same on Linux. Prints the first result that is wrong.
//
// "signals" runs all checks. "signals CHECK" runs one of them: `hour` is for
// virtual time only, `from_outside` waits for a SIGTERM that somebody else sends.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
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
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition)                                                  \
  do {                                                                    \
    if (!(condition)) {                                                   \
      printf("line %d: %s: %s\n", __LINE__, #condition, strerror(errno)); \
      fflush(stdout);                                                     \
      _exit(1);                                                           \
    }                                                                     \
  } while (0)

static struct sockaddr_in Loopback(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static int Listen(struct sockaddr_in* address) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(listener >= 0);
  *address = Loopback();
  socklen_t size = sizeof(*address);
  CHECK(bind(listener, (struct sockaddr*)address, size) == 0);
  CHECK(listen(listener, 16) == 0);
  CHECK(getsockname(listener, (struct sockaddr*)address, &size) == 0);
  return listener;
}

static int Connect(const struct sockaddr_in* address) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(fd >= 0);
  CHECK(connect(fd, (const struct sockaddr*)address, sizeof(*address)) == 0);
  return fd;
}

static void Pair(int* client, int* server) {
  struct sockaddr_in address;
  const int listener = Listen(&address);
  *client = Connect(&address);
  *server = accept(listener, NULL, NULL);
  CHECK(*server >= 0);
  CHECK(close(listener) == 0);
}

// ---- Handlers

static volatile sig_atomic_t handled;
static volatile sig_atomic_t last_value;
static int written_by_handler = -1;  // The handler writes a byte to it.

static void Handle(int signal) {
  (void)signal;
  const int error = errno;
  ++handled;
  if (written_by_handler >= 0) (void)!write(written_by_handler, "h", 1);
  errno = error;
}

static void HandleWithInfo(int signal, siginfo_t* info, void* context) {
  (void)signal;
  (void)context;
  ++handled;
  last_value = info->si_value.sival_int;
}

static void Install(int signal, int flags) {
  struct sigaction action = {.sa_flags = flags};
  action.sa_handler = &Handle;
  CHECK(sigaction(signal, &action, NULL) == 0);
  struct sigaction shown;
  CHECK(sigaction(signal, NULL, &shown) == 0);
  enum { kRestorer = 0x04000000 };  // SA_RESTORER, which glibc adds.
  CHECK(shown.sa_handler == &Handle && (shown.sa_flags & ~kRestorer) == flags);
  handled = 0;
}

// Sends SIGALRM to the process in some milliseconds.
static void AlarmAfter(int milliseconds) {
  const struct itimerval value = {.it_value.tv_usec = milliseconds * 1000};
  CHECK(setitimer(ITIMER_REAL, &value, NULL) == 0);
}

static long Milliseconds(void) {
  struct timespec now;
  CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
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

struct Call {
  const char* name;
  int (*make)(void);
  bool restarts;  // With SA_RESTART.
};
static const struct Call kCalls[] = {
    {"recv", &Receive, true},      {"read", &Read, true},
    {"accept", &Accept, true},     {"read of an eventfd", &ReadCounter, true},
    {"poll", &Poll, false},        {"select", &Select, false},
    {"epoll_wait", &EpollWait, false}, {"nanosleep", &Sleep, false},
    {"pause", &Pause, false},      {"sem_wait", &SemWait, true},
    {"read of a pipe", &ReadPipe, true},
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
  sigset_t usr1;
  sigset_t none;
  sigemptyset(&none);
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  CHECK(sigprocmask(SIG_BLOCK, &usr1, NULL) == 0);
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
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
  for (int i = 1; i <= 3; ++i) {
    CHECK(sigqueue(getpid(), number, (union sigval){.sival_int = i}) == 0);
  }
  CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
  CHECK(handled == 3 && last_value == 3);
}

// A timer with an interval, and what is left of one.
static void Intervals(void) {
  Install(SIGALRM, 0);
  const struct itimerval value = {.it_interval.tv_usec = 10000,
                                  .it_value.tv_usec = 10000};
  const long start = Milliseconds();
  CHECK(setitimer(ITIMER_REAL, &value, NULL) == 0);
  while (handled < 5) CHECK(pause() == -1 && errno == EINTR);
  const long passed = Milliseconds() - start;
  CHECK(passed >= 50);
  struct itimerval old;
  CHECK(getitimer(ITIMER_REAL, &old) == 0 && old.it_interval.tv_usec == 10000);
  CHECK(alarm(100) <= 1 && alarm(0) == 100 && alarm(0) == 0);
}

static void Expire(union sigval value) {
  (void)!write(value.sival_int, "t", 1);
}

// SIGEV_THREAD.
static void TimerThread(void) {
  Open();
  struct sigevent event = {.sigev_notify = SIGEV_THREAD,
                           .sigev_value.sival_int = server};
  event.sigev_notify_function = &Expire;
  timer_t timer;
  const struct itimerspec soon = {.it_value.tv_nsec = 20 * 1000 * 1000};
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  CHECK(timer_settime(timer, 0, &soon, NULL) == 0);
  CHECK(Receive() == 1);
  CHECK(timer_delete(timer) == 0);
  Close();
}

static pid_t Fork(void) {
  const pid_t child = fork();
  CHECK(child >= 0);
  return child;
}

static void ExpectStatus(pid_t child, int expected) {
  int status = 0;
  pid_t ended = -1;
  do {
    ended = waitpid(child, &status, 0);
  } while (ended < 0 && errno == EINTR);
  CHECK(ended == child);
  CHECK(status == expected);
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

// alarm(2) in virtual time.
static void Hour(void) {
  Open();
  Install(SIGALRM, 0);
  const long start = Milliseconds();
  CHECK(alarm(3600) == 0);
  ExpectInterrupted(&kCalls[0]);
  const long passed = Milliseconds() - start;
  CHECK(passed >= 3600 * 1000 && passed < 3601 * 1000);
  // It goes on in the server of a program that forks.
  CHECK(alarm(3600) == 0);
  const pid_t child = Fork();
  if (child == 0) _exit(alarm(0) == 0 ? 6 : 1);
  ExpectStatus(child, 6 << 8);
  ExpectInterrupted(&kCalls[0]);
  CHECK(Milliseconds() - start >= 7200 * 1000);
  Close();
}

// Waits for SIGTERM, with a native descriptor. Prints the ID of the process
// before.
static void FromOutside(void) {
  Open();
  Install(SIGTERM, 0);
  sigset_t term;
  sigset_t none;
  sigemptyset(&none);
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  CHECK(sigprocmask(SIG_BLOCK, &term, NULL) == 0);
  printf("%d\n", (int)getpid());
  fflush(stdout);
  struct pollfd both[] = {{.fd = client, .events = POLLIN},
                          {.fd = STDIN_FILENO, .events = POLLIN}};
  CHECK(ppoll(both, 2, NULL, &none) == -1 && errno == EINTR && handled == 1);
}

struct Test {
  const char* name;
  void (*run)(void);
};

static const struct Test kTests[] = {
    {"interrupted", &Interrupted},
    {"restarted", &Restarted},
    {"timeout", &Timeout},
    {"handler_writes", &HandlerWrites},
    {"masks", &Masks},
    {"other_thread", &OtherThread},
    {"handler_during_join", &HandlerDuringJoin},
    {"values", &Values},
    {"intervals", &Intervals},
    {"timer_thread", &TimerThread},
    {"child_ends", &ChildEnds},
    {"other_process", &OtherProcess},
    {"wait_interrupted", &WaitInterrupted},
};

int main(int argc, char** argv) {
  const char* const name = argc > 1 ? argv[1] : "";
  if (strcmp(name, "hour") == 0) Hour();
  if (strcmp(name, "from_outside") == 0) FromOutside();
  for (size_t i = 0; i < sizeof(kTests) / sizeof(kTests[0]); ++i) {
    if (argc > 1 && strcmp(name, kTests[i].name) != 0) continue;
    kTests[i].run();
  }
  puts("all results are right");
  return 0;
}
