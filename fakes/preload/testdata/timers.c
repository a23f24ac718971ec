// Waits for the signals of timers, and checks when they come and who gets them,
// which is the same on Linux. Prints the first result that is wrong.
//
// "timers" runs all checks. "timers CHECK" runs one of them: `hour` is for
// virtual time only.

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "fakes/preload/testdata/checks.h"
#include "fakes/preload/testdata/handlers.h"

static const char* program;

static void ExpectPaused(void) { CHECK(pause() == -1 && errno == EINTR); }

static timer_t NewTimer(const struct sigevent* event, int milliseconds) {
  timer_t timer;
  struct sigevent copy = *event;
  const struct itimerspec soon = {.it_value.tv_nsec =
                                      (long)milliseconds * 1000 * 1000};
  CHECK(timer_create(CLOCK_MONOTONIC, &copy, &timer) == 0);
  CHECK(timer_settime(timer, 0, &soon, NULL) == 0);
  return timer;
}

// A timer with an interval, and what is left of one.
static void Intervals(void) {
  Install(SIGALRM, 0);
  const struct itimerval value = {.it_interval.tv_usec = 10000,
                                  .it_value.tv_usec = 10000};
  const long start = Milliseconds();
  CHECK(setitimer(ITIMER_REAL, &value, NULL) == 0);
  while (handled < 5) ExpectPaused();
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
  int client;
  int server;
  Pair(&client, &server);
  struct sigevent event = {.sigev_notify = SIGEV_THREAD,
                           .sigev_value.sival_int = server};
  event.sigev_notify_function = &Expire;
  const timer_t timer = NewTimer(&event, 20);
  ExpectBytes(client, "t");
  CHECK(timer_delete(timer) == 0);
  CHECK(close(client) == 0 && close(server) == 0);
}

// ---- Waits for a signal that is blocked

// sigwait(3) and sigtimedwait(2) take the signals of timers, and wait for them.
static void Awaited(void) {
  const sigset_t set = Block(SIGALRM);
  const long start = Milliseconds();
  int signal = 0;
  AlarmAfter(50);
  CHECK(sigwait(&set, &signal) == 0 && signal == SIGALRM);
  CHECK(Milliseconds() - start >= 50);
  const struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
                                 .sigev_signo = SIGALRM,
                                 .sigev_value.sival_int = 7};
  const timer_t timer = NewTimer(&event, 50);
  siginfo_t info;
  CHECK(sigwaitinfo(&set, &info) == SIGALRM);
  CHECK(info.si_code == SI_TIMER && info.si_value.sival_int == 7);
  CHECK(Milliseconds() - start >= 100);
  CHECK(timer_delete(timer) == 0);
  AlarmAfter(50);
  const struct timespec hour = {.tv_sec = 3600};
  CHECK(sigtimedwait(&set, NULL, &hour) == SIGALRM);
  CHECK(Milliseconds() - start < 3600 * 1000);
  Unblock(&set);
}

// The timeout of sigtimedwait(2), which can be 0.
static void AwaitedInVain(void) {
  const sigset_t set = Block(SIGALRM);
  const long start = Milliseconds();
  const struct timespec soon = {.tv_nsec = 50 * 1000 * 1000};
  CHECK(sigtimedwait(&set, NULL, &soon) == -1 && errno == EAGAIN);
  CHECK(Milliseconds() - start >= 50);
  const struct timespec now = {0};
  CHECK(sigtimedwait(&set, NULL, &now) == -1 && errno == EAGAIN);
  CHECK(raise(SIGALRM) == 0 && sigtimedwait(&set, NULL, &now) == SIGALRM);
  const struct timespec wrong = {.tv_nsec = -1};
  CHECK(sigtimedwait(&set, NULL, &wrong) == -1 && errno == EINVAL);
  Unblock(&set);
}

// A handler of another signal ends sigtimedwait(2), also with SA_RESTART.
// sigwait(3) goes on.
static void AwaitedWithHandler(void) {
  const sigset_t set = Block(SIGUSR1);
  Install(SIGALRM, SA_RESTART);
  AlarmAfter(20);
  CHECK(sigwaitinfo(&set, NULL) == -1 && errno == EINTR && handled == 1);
  const struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
                                 .sigev_signo = SIGUSR1};
  const timer_t timer = NewTimer(&event, 50);
  AlarmAfter(20);
  int signal = 0;
  CHECK(sigwait(&set, &signal) == 0 && signal == SIGUSR1 && handled == 2);
  CHECK(timer_delete(timer) == 0);
  Unblock(&set);
}

static void* SendLater(void* fd) {
  CHECK(usleep(20000) == 0);
  Write(*(int*)fd, "s");
  CHECK(kill(getpid(), SIGUSR1) == 0);
  return NULL;
}

// Other threads run while one is in sigwait(3).
static void AwaitedFromThread(void) {
  int client;
  int server;
  Pair(&client, &server);
  const sigset_t set = Block(SIGUSR1);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, &SendLater, &client) == 0);
  int signal = 0;
  CHECK(sigwait(&set, &signal) == 0 && signal == SIGUSR1);
  ExpectBytes(server, "s");
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(close(client) == 0 && close(server) == 0);
  Unblock(&set);
}

// A signalfd(2) becomes readable when a timer expires. A wait for it can have a
// socket beside it.
static void Signalfd(void) {
  int client;
  int server;
  Pair(&client, &server);
  const sigset_t set = Block(SIGALRM);
  const int fd = signalfd(-1, &set, SFD_CLOEXEC);
  CHECK(fd >= 0);
  const long start = Milliseconds();
  AlarmAfter(50);
  struct pollfd both[] = {{.fd = client, .events = POLLIN},
                          {.fd = fd, .events = POLLIN}};
  CHECK(poll(both, 2, -1) == 1 && both[1].revents == POLLIN);
  CHECK(Milliseconds() - start >= 50);
  struct signalfd_siginfo info;
  CHECK(read(fd, &info, sizeof(info)) == sizeof(info));
  CHECK(info.ssi_signo == SIGALRM);
  AlarmAfter(50);
  CHECK(read(fd, &info, sizeof(info)) == sizeof(info));
  CHECK(Milliseconds() - start >= 100);
  CHECK(close(fd) == 0 && close(client) == 0 && close(server) == 0);
  Unblock(&set);
}

// ---- Other programs

// "timers left MILLISECONDS": the other side of AlarmOverExec().
static int RunWithAlarm(int most) {
  struct itimerval left;
  CHECK(getitimer(ITIMER_REAL, &left) == 0);
  CHECK(left.it_value.tv_sec == 0 && left.it_value.tv_usec > 0);
  CHECK(left.it_value.tv_usec <= most * 1000);
  CHECK(left.it_interval.tv_usec == 70000);
  Install(SIGALRM, 0);
  for (int i = 0; i < 3; ++i) ExpectPaused();
  CHECK(signal(SIGALRM, SIG_DFL) == &Handle);
  pause();
  return 1;
}

// Executes the other side, with a timer of ITIMER_REAL. A timer of
// timer_create(2) does not survive.
static void ExecuteWithAlarm(void) {
  const struct itimerval value = {.it_value.tv_usec = 300000,
                                  .it_interval.tv_usec = 70000};
  CHECK(setitimer(ITIMER_REAL, &value, NULL) == 0);
  const struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
                                 .sigev_signo = SIGKILL};
  NewTimer(&event, 350);
  execl("/does/not/exist", program, NULL);
  CHECK(usleep(100000) == 0);
  execlp(program, program, "left", "200", NULL);
  _exit(127);
}

// A timer of ITIMER_REAL survives execve(2), and is not inherited over fork(2).
static void AlarmOverExec(void) {
  const pid_t child = Fork();
  if (child == 0) ExecuteWithAlarm();
  ExpectStatus(child, SIGALRM);
  // An alarm that was ended does not.
  const pid_t second = Fork();
  if (second == 0) {
    CHECK(alarm(1) == 0);
    execl("/does/not/exist", program, NULL);
    CHECK(alarm(0) == 1);
    execlp(program, program, "none", NULL);
    _exit(127);
  }
  ExpectStatus(second, 4 << 8);
  // Nor does that of the parent.
  CHECK(alarm(100) == 0);
  const pid_t third = Fork();
  if (third == 0) {
    execlp(program, program, "none", NULL);
    _exit(127);
  }
  ExpectStatus(third, 4 << 8);
  CHECK(alarm(0) == 100);
}

// alarm(2) in virtual time.
static void Hour(void) {
  Install(SIGALRM, 0);
  const long start = Milliseconds();
  CHECK(alarm(3600) == 0);
  ExpectPaused();
  const long passed = Milliseconds() - start;
  CHECK(passed >= 3600 * 1000 && passed < 3601 * 1000);
  // It goes on in the server of a program that forks.
  CHECK(alarm(3600) == 0);
  const pid_t child = Fork();
  if (child == 0) _exit(alarm(0) == 0 ? 6 : 1);
  ExpectStatus(child, 6 << 8);
  ExpectPaused();
  CHECK(Milliseconds() - start >= 7200 * 1000);
  const sigset_t set = Block(SIGALRM);
  int signal = 0;
  CHECK(alarm(3600) == 0);
  CHECK(sigwait(&set, &signal) == 0 && signal == SIGALRM);
  CHECK(Milliseconds() - start >= 10800 * 1000);
  Unblock(&set);
}

static const struct Test kTests[] = {
    {"intervals", &Intervals},
    {"timer_thread", &TimerThread},
    {"awaited", &Awaited},
    {"awaited_in_vain", &AwaitedInVain},
    {"awaited_with_handler", &AwaitedWithHandler},
    {"awaited_from_thread", &AwaitedFromThread},
    {"signalfd", &Signalfd},
    {"alarm_over_exec", &AlarmOverExec},
};

int main(int argc, char** argv) {
  program = argv[0];
  const char* const name = argc > 1 ? argv[1] : "";
  if (strcmp(name, "left") == 0 && argc > 2) return RunWithAlarm(atoi(argv[2]));
  if (strcmp(name, "none") == 0) return alarm(0) == 0 ? 4 : 1;
  if (strcmp(name, "execute") == 0) ExecuteWithAlarm();
  if (strcmp(name, "hour") == 0) Hour();
  return RunTests(kTests, sizeof(kTests) / sizeof(kTests[0]), name);
}
