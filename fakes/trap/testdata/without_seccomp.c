// without_seccomp REFUSAL PROGRAM ARGS...: runs PROGRAM where no seccomp(2)
// filter with a listener can be installed.
//
// REFUSAL is a number: the errno of seccomp(2), as in a sandbox that forbids
// it. Or it is "listener": there is a filter with a listener already, as in a
// program that is trapped.

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int InstallFilter(struct sock_filter* code, unsigned short length,
                         unsigned long flags) {
  const struct sock_fprog program = {.len = length, .filter = code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static int ForbidSeccomp(unsigned error) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  return InstallFilter(code, sizeof(code) / sizeof(*code), 0);
}

// The listener stays open in PROGRAM: without it the filter has none any more.
static int BecomeListener(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const int listener = InstallFilter(code, 1, SECCOMP_FILTER_FLAG_NEW_LISTENER);
  return listener < 0 ? -1 : fcntl(listener, F_SETFD, 0);
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const int failed = strcmp(argv[1], "listener") == 0
                         ? BecomeListener()
                         : ForbidSeccomp((unsigned)atoi(argv[1]));
  if (failed != 0) {
    perror("seccomp");
    return 1;
  }
  execv(argv[2], argv + 2);
  perror(argv[2]);
  return 1;
}
