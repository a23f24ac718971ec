#include "conformance/targets/python.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/base/config.h"
#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "conformance/driver_host/answer.h"
#include "conformance/driver_host/commanded_implementation.h"
#include "conformance/engine/runfiles.h"
#include "conformance/environments/linux/blocked_call.h"
#include "conformance/suite/harness_error.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/option_lists.h"
#include "conformance/suite/result.h"
#include "nlohmann/json.hpp"
#include "syscalls/mutex.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

using Json = nlohmann::json;

constexpr char kDriver[] = "conformance/drivers/python";

// Makes `driver`, and `call`, which carries out a command of the driver
// protocol. The descriptor to adopt is passed in the command.
constexpr char kBootstrap[] = R"py(
import json, os, socket, types
module = types.ModuleType("driver")
with open(path, "rb") as source:
    exec(compile(source.read(), path, "exec"), module.__dict__)

class InProcess(module.Driver):
    def adopt(self, command):
        descriptor = command["descriptor"]
        sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, 0, descriptor)
        if command["options"].get("closed"):
            os.close(descriptor)
        return self.keep(sock)

driver = InProcess()

def call(text):
    return json.dumps({"id": 1, **module.answer(driver, json.loads(text))})
)py";

// The functions of the C API (https://docs.python.org/3/c-api) that this file
// calls.
class PythonLibrary {
 public:
  struct Object;

  // Loads the library once. Returns null if there is none.
  static const PythonLibrary* Get() {
    static const PythonLibrary* const library = Load();
    return library;
  }

  const char* (*version)();
  void (*initialize)(int signals);
  void* (*save_thread)();
  int (*ensure)();
  void (*release)(int state);
  int (*run)(const char* text, void* flags);
  Object* (*add_module)(const char* name);
  Object* (*attribute)(Object* object, const char* name);
  int (*set_attribute)(Object* object, const char* name, Object* value);
  Object* (*from_string)(const char* text);
  const char* (*as_string)(Object* text);
  Object* (*call)(Object* callable, ...);
  void (*print_error)();
  void (*forget)(Object* object);

 private:
  static constexpr int kOldest = 9;
  static constexpr int kNewest = 19;

  static const PythonLibrary* Load() {
    // Debian's newest; it has no name without the version.
    void* handle = nullptr;
    for (int minor = kNewest; minor >= kOldest && handle == nullptr; --minor) {
      handle = dlopen(absl::StrCat("libpython3.", minor, ".so.1.0").c_str(),
                      RTLD_NOW | RTLD_GLOBAL);
    }
    if (handle == nullptr) return nullptr;
    auto library = std::make_unique<PythonLibrary>();
    bool complete = true;
    const auto find = [&](auto& function, const char* name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(
          dlsym(handle, name));
      complete = complete && function != nullptr;
    };
    find(library->version, "Py_GetVersion");
    find(library->initialize, "Py_InitializeEx");
    find(library->save_thread, "PyEval_SaveThread");
    find(library->ensure, "PyGILState_Ensure");
    find(library->release, "PyGILState_Release");
    find(library->run, "PyRun_SimpleStringFlags");
    find(library->add_module, "PyImport_AddModule");
    find(library->attribute, "PyObject_GetAttrString");
    find(library->set_attribute, "PyObject_SetAttrString");
    find(library->from_string, "PyUnicode_FromString");
    find(library->as_string, "PyUnicode_AsUTF8");
    find(library->call, "PyObject_CallFunctionObjArgs");
    find(library->print_error, "PyErr_Print");
    find(library->forget, "Py_DecRef");
    return complete ? library.release() : nullptr;
  }
};

// The interpreter of this process.
class Interpreter {
 public:
  Interpreter() {
    const std::optional<std::string> driver = FindRunfile(kDriver);
    if (!driver.has_value())
      throw HarnessError(absl::StrCat("cannot find ", kDriver));
    // With Python's signal handlers, so that SIGPIPE is ignored.
    python_.initialize(/*signals=*/1);
    PythonLibrary::Object* const main = python_.add_module("__main__");
    PythonLibrary::Object* const path = python_.from_string(driver->c_str());
    python_.set_attribute(main, "path", path);
    python_.forget(path);
    if (python_.run(kBootstrap, nullptr) != 0) {
      throw HarnessError(absl::StrCat("cannot load ", *driver));
    }
    call_ = python_.attribute(main, "call");
    python_.save_thread();
  }

  std::string Call(const std::string& command) const {
    const int state = python_.ensure();
    PythonLibrary::Object* const text = python_.from_string(command.c_str());
    PythonLibrary::Object* const answer = python_.call(call_, text, nullptr);
    python_.forget(text);
    std::string result;
    if (answer != nullptr) {
      result = python_.as_string(answer);
      python_.forget(answer);
    } else {
      python_.print_error();  // Then the answer is not JSON.
    }
    python_.release(state);
    return result;
  }

 private:
  const PythonLibrary& python_ = *PythonLibrary::Get();
  PythonLibrary::Object* call_;
};

class Python final : public CommandedImplementation {
 public:
  explicit Python(void (*call_through)(Syscalls&))
      : call_through_(call_through) {}

  Result<Handle> ListenWithList(const ip::Endpoint& local,
                                const ListenOptionList& list) override {
    const Result<Json> command = ListenCommand(local, list);
    if (!command.ok()) return command.As<Handle>();
    const Result<Json> ok = Do(*command);
    if (!ok.ok()) return ok.As<Handle>();
    FillPorts(list, *ok);
    return Keep(*ok);
  }

  Result<Handle> ConnectWithList(const ip::Endpoint& remote,
                                 const ConnectOptionList& list) override {
    return Keep(Do(ConnectCommand(remote, list)));
  }

  Result<Handle> AcceptWithList(Handle listener,
                                const AcceptOptionList& list) override {
    return Keep(Do(listener, AcceptCommand(list), SocketOperation::kAccept));
  }

  Result<Done> Close(Handle socket) override {
    const Result<Json> ok = Do(socket, {{"command", "close"}}, std::nullopt);
    const MutexLock lock(mutex_);
    descriptors_.erase(socket);
    return DoneOf(ok);
  }

  Result<Handle> Adopt(int fd) override {
    return AdoptWith(fd, Json::object());
  }

  Result<Handle> AdoptThenClose(int fd, Syscalls& sys) override {
    static_cast<void>(sys);  // Python closes the descriptor.
    return AdoptWith(fd, {{"closed", true}});
  }

  std::optional<int> NativeHandle(Handle socket) override {
    const MutexLock lock(mutex_);
    return descriptors_.at(socket);
  }

  bool UseSyscalls(Syscalls& sys) override {
    call_through_(sys);
    return true;
  }

 private:
  // limits.data of a driver that does not name it.
  static constexpr size_t kMostData = 65536;

  size_t MostData(Handle) override { return kMostData; }
  size_t Offer(Handle, size_t size) override {
    return std::min(size, kMostData);
  }
  void NoteSent(Handle, size_t, size_t) override {}

  Result<Handle> AdoptWith(int fd, Json options) {
    return Keep(Do({{"command", "adopt"},
                    {"descriptor", fd},
                    {"options", std::move(options)}}));
  }

  Result<Json> Do(Handle socket, Json command,
                  std::optional<SocketOperation>) override {
    command["socket"] = static_cast<uint64_t>(socket);
    return Do(command);
  }

  Result<Json> Do(const Json& command) const {
    absl::StatusOr<Answer> answer =
        ParseAnswer(interpreter_.Call(command.dump()));
    if (!answer.ok()) throw DriverError(std::string(answer.status().message()));
    if (const auto* error = std::get_if<Error>(&answer->content)) return *error;
    if (const auto* claim = std::get_if<Unsupported>(&answer->content)) {
      return *claim;
    }
    if (const auto* fault = std::get_if<Internal>(&answer->content)) {
      throw DriverError(fault->text);
    }
    return std::get<Json>(std::move(answer->content));
  }

  // Python's number of a socket is its handle.
  Result<Handle> Keep(const Result<Json>& ok) {
    if (!ok.ok()) return ok.As<Handle>();
    const Handle handle{NumberIn(*ok, "socket")};
    const MutexLock lock(mutex_);
    descriptors_[handle] = IntIn(*ok, "descriptor", 0);
    return handle;
  }

  void (*const call_through_)(Syscalls&);
  const Interpreter interpreter_;
  Mutex mutex_;
  std::map<Handle, int> descriptors_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Implementation> MakePython(void (*call_through)(Syscalls&)) {
  return std::make_unique<Python>(call_through);
}

std::string WhyNoPython() {
#if defined(ABSL_HAVE_ADDRESS_SANITIZER)
  return "AddressSanitizer would report the interpreter's memory as leaked";
#endif
  if (PythonLibrary::Get() == nullptr) {
    return "there is no libpython3. To install it: "
           "third_party/install_debian_packages drivers";
  }
  if (!FindRunfile(kDriver).has_value()) return "its driver was not built";
  return "";
}

std::string PythonVersion() {
  const PythonLibrary* const python = PythonLibrary::Get();
  if (python == nullptr) return "";
  const std::string text = python->version();
  return text.substr(0, text.find(' '));
}

}  // namespace net::conformance
