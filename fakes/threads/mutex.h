#ifndef FAKES_THREADS_MUTEX_H_
#define FAKES_THREADS_MUTEX_H_

#include <pthread.h>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/participant.h"

// Mutexes of participants.

namespace net::threads {

// Locks the mutex as pthread_mutex_lock(3) does. The calling participant hands
// the baton on while another thread holds the mutex. Returns ETIMEDOUT at the
// virtual time `deadline`, and EDEADLK in a deadlock. `call` is the name of the
// call in reports.
int LockMutex(fake::ParticipantState& self, pthread_mutex_t* mutex,
              const char* call, fake::Nanoseconds deadline = fake::kForever);

// Unlocks the mutex as pthread_mutex_unlock(3) does. May be called from any
// thread.
int UnlockMutex(pthread_mutex_t* mutex);

}  // namespace net::threads

#endif  // FAKES_THREADS_MUTEX_H_
