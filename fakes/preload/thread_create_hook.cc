#include <pthread.h>

#include <atomic>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/participant.h"
#include "fakes/preload/world.h"
#include "fakes/threads/next.h"

NET_NEXT_FUNCTION(pthread_create)

namespace net::preload {
namespace {

using fake::ParticipantState;

struct Start {
  void* (*body)(void*);
  void* argument;
  ParticipantState& participant;
  // That of the creating thread, if it is not that of the process.
  std::optional<World> world;
};

Start StartOf(void* (*body)(void*), void* argument,
              ParticipantState& participant) {
  const World* const world = ThreadWorld::OfCaller();
  return {.body = body,
          .argument = argument,
          .participant = participant,
          .world = world == nullptr ? std::nullopt : std::optional(*world)};
}

// Takes part until its end, which pthread_exit(3) reaches, too.
class Part {
 public:
  explicit Part(ParticipantState& participant) : participant_(participant) {
    fake::BeginParticipant(participant_);
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  ~Part() { fake::EndParticipant(participant_); }

 private:
  ParticipantState& participant_;
};

void* Run(void* argument) {
  const std::unique_ptr<const Start> start(static_cast<Start*>(argument));
  const Part part(start->participant);
  const ThreadWorld world(start->world.has_value() ? &*start->world : nullptr);
  return start->body(start->argument);
}

// The main thread is number 0.
ParticipantState& AddThread(ParticipantState& self) {
  static std::atomic<int> count = 0;
  return fake::AddParticipant(self, absl::StrCat("thread ", ++count));
}

int Create(ParticipantState& self, pthread_t* thread,
           const pthread_attr_t* attributes, void* (*body)(void*),
           void* argument) {
  ParticipantState& added = AddThread(self);
  auto start = std::make_unique<Start>(StartOf(body, argument, added));
  const int error =
      threads::next::pthread_create(thread, attributes, &Run, start.get());
  if (error != 0) {
    fake::EndParticipant(added);
    return error;
  }
  static_cast<void>(start.release());  // Run() owns it.
  fake::NameThread(self, added, *thread);
  return 0;
}

}  // namespace
}  // namespace net::preload

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" int pthread_create(pthread_t* thread,
                              const pthread_attr_t* attributes,
                              void* (*body)(void*), void* argument) noexcept {
  net::fake::ParticipantState* const self =
      net::preload::IsInCharge() ? net::fake::CurrentParticipant() : nullptr;
  if (self == nullptr) {
    return net::threads::next::pthread_create(thread, attributes, body,
                                              argument);
  }
  return net::preload::Create(*self, thread, attributes, body, argument);
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
