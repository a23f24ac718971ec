#ifndef FAKES_DIFFERENTIAL_PRINT_CALL_H_
#define FAKES_DIFFERENTIAL_PRINT_CALL_H_

#include <cstddef>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/differential/program.h"

namespace net::differential {

// Prints the calls of one program as C++, in order. Slots are variables: s0,
// s1.
class CallPrinter {
 public:
  // Returns the call of a step: "sys.Listen(s0, 1)".
  std::string Print(const Step& step);

  // Numbers a step that is not printed.
  void Skip() { ++number_; }

  // Returns the declarations that the last call needs, one a line. They have
  // variable names of their own.
  const std::string& declarations() const { return declarations_; }
  // Returns a name that the last call has declared, for example "address7".
  std::string Own(absl::string_view name) const {
    return absl::StrCat(name, number_);
  }
  // Returns the name of a slot's variable, or "-1".
  std::string Slot(int slot);

  // Begins the calls of a thread (threads/threaded_program.h). In these, new
  // sockets block, and the ports of slots are variables: port0, port1.
  void BeginThread() { in_thread_ = true; }

  // Returns whether a call uses the function of PortOfText().
  bool uses_port_of() const { return uses_port_of_; }
  // Returns the slots that the calls have used.
  const std::set<int>& slots() const { return slots_; }
  // Returns the slots whose ports are variables.
  const std::set<int>& ports() const { return ports_; }

 private:
  std::string TextOf(const Step& step);
  std::string Port(const Address& address);
  std::string WithAddress(absl::string_view call, const Step& step);
  std::string AddressOf(const Step& step);
  std::string WithRoom(absl::string_view call, const Step& step,
                       absl::string_view more);
  std::string Data(const Step& step);
  std::string RecvFrom(const Step& step, absl::string_view pointer,
                       absl::string_view flags);
  // splice(2) and sendfile(2), with a pipe.
  std::string Between(const Step& step);
  std::string ThroughPipe(const Step& step);
  std::string SetOption(const Step& step);
  std::string GetOption(const Step& step);
  std::string Poll(const Step& step);

  bool in_thread_ = false;
  size_t number_ = 0;
  std::string declarations_;
  bool uses_port_of_ = false;
  std::set<int> slots_;
  std::set<int> ports_;
};

// Returns whether the call returns a new descriptor, for Step::out.
bool MakesDescriptor(const Step& step);

// Returns the definition of the function PortOf(), which returns the port of a
// descriptor.
absl::string_view PortOfText();

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_PRINT_CALL_H_
