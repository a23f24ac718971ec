// The program //conformance: see kHelp and README.md.

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <iostream>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "conformance/driver_host/check_driver.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/driver_server.h"
#include "conformance/driver_host/driver_subject.h"
#include "conformance/driver_host/recording.h"
#include "conformance/engine/report.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/selection.h"
#include "conformance/engine/trial.h"
#include "conformance/program/accounts.h"
#include "conformance/program/debug.h"
#include "conformance/program/explain.h"
#include "conformance/program/run.h"
#include "conformance/program/smoke.h"
#include "conformance/suite/case.h"
#include "conformance/targets/driver_targets.h"
#include "conformance/targets/targets.h"
#include "syscalls/testing/command_line.h"

ABSL_FLAG(bool, help, false, "");
ABSL_FLAG(bool, list, false, "");
ABSL_FLAG(std::string, format, "text", "");
ABSL_FLAG(std::string, explain, "", "");
ABSL_FLAG(bool, coverage, false, "");
ABSL_FLAG(std::vector<std::string>, accounts, {}, "");
ABSL_FLAG(std::vector<std::string>, cases, {}, "");
ABSL_FLAG(std::vector<std::string>, implementations, {}, "");
ABSL_FLAG(int, jobs, net::conformance::DefaultJobs(), "");
ABSL_FLAG(int, repeat, 1, "");
ABSL_FLAG(bool, shuffle, false, "");
ABSL_FLAG(uint64_t, seed, 0, "");
ABSL_FLAG(absl::Duration, timeout, absl::Seconds(60), "");
ABSL_FLAG(std::string, records, "", "");
ABSL_FLAG(std::string, junit, "", "");
ABSL_FLAG(std::string, markdown, "", "");
ABSL_FLAG(std::string, html, "", "");
ABSL_FLAG(std::string, badge, "", "");
ABSL_FLAG(std::string, from_records, "", "");
ABSL_FLAG(bool, ipv6, true, "");
ABSL_FLAG(bool, verbose, false, "");
ABSL_FLAG(bool, rerun, true, "");
ABSL_FLAG(std::string, debug, "", "");
ABSL_FLAG(bool, next, false, "");
ABSL_FLAG(std::string, expectations, "", "");
ABSL_FLAG(bool, fix, false, "");
ABSL_FLAG(bool, isolate, false, "");
ABSL_FLAG(std::string, serve, "", "");
ABSL_FLAG(std::string, driver, "", "");
ABSL_FLAG(bool, driver_stdio, false, "");
ABSL_FLAG(bool, smoke, false, "");
ABSL_FLAG(bool, check_driver, false, "");
ABSL_FLAG(bool, print_command, false, "");
ABSL_FLAG(std::string, attach, "", "");
ABSL_FLAG(std::string, record_session, "", "");
ABSL_FLAG(std::string, replay_session, "", "");

namespace net::conformance {
namespace {

constexpr absl::string_view kHelp =
    R"(Judges TCP implementations, case by case, on real loopback sockets. The cases
named kernel.* judge the kernels below them.

  conformance [flags]

  --list                     print the cases and exit
  --format=text|json|c       the format of --list and --coverage: text (the
                             default) or json. c: of --explain
  --explain=CASE[/v6]        print a case's requirement and source, the bugs that
                             it finds, and a C program that shows what this
                             kernel does, and exit. With --format=c, print only
                             the program
  --coverage                 print which cases reach which cells of the suite's
                             accounts (docs/RUNNING.md), and exit: 1 if a cell is
                             empty without a reason. With --verbose or
                             --format=json, print all cells
  --accounts=LETTER,...      with --coverage: only these accounts
  --cases=GLOB,...           run only these cases: --cases='listen.*,peeraddr.*'
  --implementations=NAME,... judge only these implementations and kernels
  --jobs=N                   run N cases at a time (twice the processors, at
                             least 16; 8 on one processor)
  --repeat=N                 run everything N times (1)
  --shuffle                  run the trials in a random order; prints its seed
  --seed=N                   with --shuffle: repeat the order of this seed
  --timeout=DURATION         kill a case that takes longer (60s). A case that
                             still makes system calls, or exchanges messages
                             with its driver, gets up to five times as long
  --noipv6                   disable IPv6 in each case's network, as on a machine
                             without IPv6
  --isolate                  run net_tcp, asio and libuv behind the driver
                             protocol, in a process of their own
  --verbose                  print a line for each case as it ends, and report
                             each trial that did not pass in full
  --norerun                  do not run trials again that ended unexpectedly. By
                             default the first 20 are run again, to find out
                             whether this is deterministic, timing-sensitive or
                             interference
  --next                     at the end, name the failure that is the cheapest to
                             mend. Needs one implementation
  --debug=CASE[/v6]          run one trial in this process, without a time limit:
                             for a debugger. Needs --implementations=NAME or
                             --driver
  --help                     print this and exit

Results:
  --records=FILE             write a JSON line for each case as it ends. "calls"
                             has the last 30 system calls of a case that fails
  --junit=FILE               write a report in JUnit's XML format
  --markdown=FILE            write a report in Markdown for a comment on a pull
                             request: at most 60,000 characters
  --html=FILE                write a page for browsers, in one file that needs no
                             network: failures first, then a table of all cells
  --badge=FILE               write an SVG image with the counts, which links to
                             the lists of --html
  --from-records=FILE        run nothing: make --html of this file, which
                             --records has written

In the table, 70/77 means that 70 of 77 trials passed; "!" marks an unexpected
outcome. The table fits the width of the terminal: $COLUMNS, or what the
terminal reports; 80 without a terminal.

Known deviations:
  --expectations=FILE        the known deviations of the one implementation that
                             is judged
  --fix                      rewrite that file to match the outcomes of this run

An implementation behind a driver (conformance/drivers/README.md):
  --driver=COMMAND           judge the implementation behind the driver that this
                             shell command starts; its hello gives the name
  --driver-stdio             use the driver's standard input and output as the
                             channel
  --smoke                    run only a dozen checks of the driver itself
  --check-driver             check whether the driver keeps to the protocol
  --print-command            print how to start the driver by hand, and exit
  --attach=FOLDER            print how to start the driver (in a debugger, for
                             instance) and wait for it; the channel is two FIFOs
                             in FOLDER
  --record-session=FILE      write each command and each answer to FILE
  --serve=NAME               be the driver of net_tcp, asio or libuv: for
                             --driver='conformance --serve=asio'
  --replay-session=FILE      send the commands of such a file again, and compare
                             the answers

Exit status: 0 all as expected, 1 an unexpected outcome, 2 a usage or harness
error.
)";

constexpr RenamedFlag kRenamedFlags[] = {
    {.before = "record", .now = "record-session"},
    {.before = "replay", .now = "replay-session"},
};

int UsageError(absl::string_view message) {
  return Fail(absl::StrCat(message, " (--help shows the flags)"));
}

bool WantsJson() { return absl::GetFlag(FLAGS_format) == "json"; }

int List(absl::Span<const Case* const> cases) {
  std::cout << (WantsJson() ? FormatCaseListJson(cases)
                            : FormatCaseList(cases));
  return kAsExpected;
}

// Returns the first mistake in the flags; "" if there is none.
std::string MistakeInFlags() {
  if (absl::GetFlag(FLAGS_jobs) < 1) return "--jobs: must be at least 1";
  if (absl::GetFlag(FLAGS_repeat) < 1) return "--repeat: must be at least 1";
  if (absl::GetFlag(FLAGS_timeout) <= absl::ZeroDuration()) {
    return "--timeout: must be a duration above zero, such as 60s";
  }
  if (absl::GetFlag(FLAGS_seed) != 0 && !absl::GetFlag(FLAGS_shuffle)) {
    return "--seed: needs --shuffle";
  }
  const std::string format = absl::GetFlag(FLAGS_format);
  if (format != "text" && format != "json" && format != "c") {
    return absl::StrCat("--format=", format, ": must be text, json or c");
  }
  if (format == "c" && absl::GetFlag(FLAGS_explain).empty()) {
    return "--format=c: needs --explain";
  }
  if (!absl::GetFlag(FLAGS_accounts).empty() &&
      !absl::GetFlag(FLAGS_coverage)) {
    return "--accounts: needs --coverage";
  }
  if (absl::GetFlag(FLAGS_html).empty()) {
    for (const auto& [name, value] :
         std::initializer_list<std::pair<const char*, std::string>>{
             {"--badge", absl::GetFlag(FLAGS_badge)},
             {"--from-records", absl::GetFlag(FLAGS_from_records)}}) {
      if (!value.empty()) return absl::StrCat(name, ": needs --html");
    }
  }
  if (!absl::GetFlag(FLAGS_from_records).empty() &&
      !absl::GetFlag(FLAGS_badge).empty()) {
    return "--from-records: cannot be combined with --badge";
  }
  const bool has_driver = !absl::GetFlag(FLAGS_driver).empty();
  if (absl::GetFlag(FLAGS_coverage) && has_driver) {
    return "--coverage: cannot be combined with --driver, whose system calls "
           "are not observed";
  }
  if (absl::GetFlag(FLAGS_isolate) && has_driver) {
    return "--isolate: cannot be combined with --driver, which isolates anyway";
  }
  if (absl::GetFlag(FLAGS_fix) && !absl::GetFlag(FLAGS_cases).empty()) {
    return "--fix: cannot be combined with --cases, because it would remove "
           "the lines of all other cases";
  }
  for (const auto& [name, given] :
       std::initializer_list<std::pair<const char*, bool>>{
           {"--driver-stdio", absl::GetFlag(FLAGS_driver_stdio)},
           {"--check-driver", absl::GetFlag(FLAGS_check_driver)},
           {"--print-command", absl::GetFlag(FLAGS_print_command)},
           {"--attach", !absl::GetFlag(FLAGS_attach).empty()},
           {"--replay-session",
            !absl::GetFlag(FLAGS_replay_session).empty()}}) {
    if (given && !has_driver) return absl::StrCat(name, ": needs --driver");
  }
  return "";
}

DriverCommand CommandOfUser() {
  return {.line = absl::GetFlag(FLAGS_driver),
          .stdio = absl::GetFlag(FLAGS_driver_stdio)};
}

// Flags that a command to repeat something leaves out.
struct LeftOut {
  absl::Span<const absl::string_view> with_value;
  absl::Span<const absl::string_view> boolean = {};
};

// A second run would replace the files of the first.
constexpr absl::string_view kFileFlags[] = {
    "--records", "--junit", "--markdown", "--html", "--badge", "--from-records",
};
constexpr LeftOut kFiles = {.with_value = kFileFlags};

// Flags that select trials, or that repeat or order them.
constexpr absl::string_view kSelectingFlags[] = {"--cases", "--implementations",
                                                 "--repeat", "--seed"};
constexpr absl::string_view kBooleanFlags[] = {"--shuffle", "--fix",
                                               "--verbose"};
constexpr LeftOut kSelection = {.with_value = kSelectingFlags,
                                .boolean = kBooleanFlags};

// Flags that select cases, or that repeat or order the trials.
constexpr absl::string_view kFlagsOfCases[] = {"--cases", "--repeat", "--seed"};
constexpr absl::string_view kFlagsOfRuns[] = {"--shuffle", "--verbose",
                                              "--next"};
constexpr LeftOut kCases = {.with_value = kFlagsOfCases,
                            .boolean = kFlagsOfRuns};

bool Contains(absl::Span<const absl::string_view> names,
              absl::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Returns a command line that starts this program again, without the flags in
// `left_out`; `bazel run` if that started it.
std::string CommandWithout(absl::Span<const LeftOut> left_out,
                           absl::Span<char* const> argv) {
  std::vector<std::string> words;
  const char* tree = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  const std::string program = std::filesystem::path(argv.front()).filename();
  const std::string target =
      program == "conformance" ? "//conformance" : "//conformance:" + program;
  if (tree == nullptr) {
    words.push_back(ShellWord(argv.front()));
  } else if (std::filesystem::exists(
                 absl::StrCat(tree, "/conformance/program/run.cc"))) {
    words.push_back(absl::StrCat("./bazelw run ", target, " --"));
  } else {
    words.push_back(absl::StrCat("bazel run @net_tcp", target, " --"));
  }
  const auto is_left_out = [&](auto member, absl::string_view name) {
    return std::any_of(
        left_out.begin(), left_out.end(),
        [&](const LeftOut& one) { return Contains(one.*member, name); });
  };
  for (size_t i = 1; i < argv.size(); ++i) {
    const absl::string_view word = argv[i];
    const absl::string_view name = word.substr(0, word.find('='));
    if (is_left_out(&LeftOut::with_value, name)) {
      if (name == word) ++i;  // its value is the next word
    } else if (!is_left_out(&LeftOut::boolean, name)) {
      words.push_back(ShellWord(word));
    }
  }
  return absl::StrJoin(words, " ");
}

// Returns the targets that can be judged: that of --driver alone, or all of the
// tree.
std::vector<Target> AllTargets(const DriverSubjectOptions& options) {
  if (!absl::GetFlag(FLAGS_driver).empty()) {
    Target target = MakeDriverTarget("driver", CommandOfUser(), options);
    const bool is_run =
        !absl::GetFlag(FLAGS_list) && absl::GetFlag(FLAGS_explain).empty();
    if (is_run) NameByGreeting(target);
    return {std::move(target)};
  }
  std::vector<Target> targets =
      MakeTargets({.disable_ipv6 = !absl::GetFlag(FLAGS_ipv6)});
  for (const Served& one : ServedImplementations()) {
    const auto target = std::find_if(
        targets.begin(), targets.end(),
        [&](const Target& other) { return other.name == one.name; });
    const DriverCommand command = CommandToServe(one.name);
    if (absl::GetFlag(FLAGS_isolate)) {
      Isolate(*target, command, options);
    } else if (!one.has_syscalls) {
      TrapForFaults(*target, command, options);
    }
  }
  for (Target& driver : DriversOfTheTree(options)) {
    targets.push_back(std::move(driver));
  }
  return targets;
}

// Makes this program the driver of an implementation. Returns only if there is
// no such implementation.
int Serve(const std::string& name) {
  std::vector<std::string> names;
  for (const Served& one : ServedImplementations()) {
    if (one.name == name) ServeDriver(one);
    names.push_back(one.name);
  }
  return UsageError(absl::StrCat("--serve=", name, ": must be one of ",
                                 absl::StrJoin(names, ", ")));
}

// Returns the seed of --shuffle: that of --seed, or a random one.
std::optional<uint64_t> ShuffleSeed() {
  if (!absl::GetFlag(FLAGS_shuffle)) return std::nullopt;
  const uint64_t seed = absl::GetFlag(FLAGS_seed);
  return seed != 0 ? seed : std::random_device()();
}

RunOptions OptionsOfRun(absl::Span<char* const> argv) {
  return {.jobs = absl::GetFlag(FLAGS_jobs),
          .repeat = absl::GetFlag(FLAGS_repeat),
          .shuffle_seed = ShuffleSeed(),
          .timeout = absl::GetFlag(FLAGS_timeout),
          .verbose = absl::GetFlag(FLAGS_verbose),
          .all_cases = absl::GetFlag(FLAGS_cases).empty(),
          // A driver that the user has to start must not be started twice.
          .try_drivers = absl::GetFlag(FLAGS_attach).empty(),
          .run_again = absl::GetFlag(FLAGS_rerun) &&
                       !absl::GetFlag(FLAGS_fix) &&
                       absl::GetFlag(FLAGS_attach).empty(),
          .fix = absl::GetFlag(FLAGS_fix),
          .next = absl::GetFlag(FLAGS_next),
          .command = CommandWithout({kFiles}, argv),
          .command_for_all = CommandWithout({kFiles, kSelection}, argv),
          .command_for_one = CommandWithout({kFiles, kCases}, argv),
          .records = absl::GetFlag(FLAGS_records),
          .junit = absl::GetFlag(FLAGS_junit),
          .markdown = absl::GetFlag(FLAGS_markdown),
          .html = absl::GetFlag(FLAGS_html),
          .badge = absl::GetFlag(FLAGS_badge),
          .expectations = absl::GetFlag(FLAGS_expectations)};
}

int RunSelected(absl::Span<const Target> all_targets,
                absl::Span<char* const> argv) {
  if (const std::string id = absl::GetFlag(FLAGS_explain); !id.empty()) {
    return Explain(all_targets, id, absl::GetFlag(FLAGS_format) == "c");
  }
  if (absl::GetFlag(FLAGS_coverage)) {
    return PrintAccounts(all_targets,
                         {.accounts = absl::GetFlag(FLAGS_accounts),
                          .jobs = absl::GetFlag(FLAGS_jobs),
                          .verbose = absl::GetFlag(FLAGS_verbose),
                          .json = WantsJson()});
  }
  const auto targets =
      SelectTargets(all_targets, absl::GetFlag(FLAGS_implementations));
  if (!targets.ok()) return UsageError(std::string(targets.status().message()));
  if (!absl::GetFlag(FLAGS_expectations).empty() && targets->size() != 1) {
    return UsageError(
        "--expectations: needs exactly one implementation; select it with "
        "--implementations");
  }
  if (absl::GetFlag(FLAGS_next) && targets->size() != 1) {
    return UsageError(
        "--next: needs exactly one implementation; select it with "
        "--implementations");
  }
  if (absl::GetFlag(FLAGS_smoke)) {
    std::vector<const Target*> drivers;
    std::copy_if(
        targets->begin(), targets->end(), std::back_inserter(drivers),
        [](const Target* one) { return one->start_subject != nullptr; });
    if (drivers.empty()) {
      return UsageError("--smoke: no selected implementation has a driver");
    }
    return Smoke(drivers, OptionsOfRun(argv));
  }
  if (const std::string name = absl::GetFlag(FLAGS_debug); !name.empty()) {
    return Debug(*targets, name);
  }
  const auto cases = SelectCases(*targets, absl::GetFlag(FLAGS_cases));
  if (!cases.ok()) return UsageError(std::string(cases.status().message()));
  if (absl::GetFlag(FLAGS_list)) return List(*cases);
  return Run(*cases, *targets, OptionsOfRun(argv));
}

int Main(int argc, char** argv) {
  const absl::Span<char* const> arguments =
      absl::MakeConstSpan(argv, static_cast<size_t>(argc));
  const absl::Status parsed = ParseFlags(arguments.subspan(1), kRenamedFlags);
  if (!parsed.ok()) {
    return UsageError(std::string(parsed.message()));
  }
  if (absl::GetFlag(FLAGS_help)) {
    std::cout << kHelp;
    return kAsExpected;
  }
  if (const std::string name = absl::GetFlag(FLAGS_serve); !name.empty()) {
    return Serve(name);
  }
  if (const std::string mistake = MistakeInFlags(); !mistake.empty()) {
    return UsageError(mistake);
  }
  if (const std::string path = absl::GetFlag(FLAGS_from_records);
      !path.empty()) {
    return WritePageOf(path, OptionsOfRun(arguments));
  }
  if (absl::GetFlag(FLAGS_print_command)) {
    std::cout << DriverProcess::CommandToType(CommandOfUser(), "COMMANDS",
                                              "ANSWERS")
              << "\n";
    return kAsExpected;
  }
  // File names in --driver are relative to the caller's folder, too.
  if (!absl::GetFlag(FLAGS_driver).empty() &&
      chdir(FromCallersFolder(".").c_str()) != 0) {
    return Fail("cannot change to the caller's working directory");
  }
  if (absl::GetFlag(FLAGS_check_driver)) {
    return CheckDriver(CommandOfUser(), std::cout) ? kAsExpected : kUnexpected;
  }
  if (const std::string path = absl::GetFlag(FLAGS_replay_session);
      !path.empty()) {
    const absl::StatusOr<bool> same =
        Replay(FromCallersFolder(path), CommandOfUser(), std::cout);
    if (!same.ok()) {
      return Fail(absl::StrCat("--replay-session: ", same.status().message()));
    }
    return *same ? kAsExpected : kUnexpected;
  }
  DriverSubjectOptions options{.ipv6 = absl::GetFlag(FLAGS_ipv6)};
  if (const std::string folder = absl::GetFlag(FLAGS_attach); !folder.empty()) {
    options.attach_folder = FromCallersFolder(folder);
    // Debugging takes time, and there is only one driver.
    absl::SetFlag(&FLAGS_timeout, absl::Hours(24));
    absl::SetFlag(&FLAGS_jobs, 1);
  }
  if (const std::string path = absl::GetFlag(FLAGS_record_session);
      !path.empty()) {
    const absl::Status started =
        StartRecording(FromCallersFolder(path), options);
    if (!started.ok()) {
      return Fail(absl::StrCat("--record-session: ", started.message()));
    }
  }
  return RunSelected(AllTargets(options), arguments);
}

}  // namespace
}  // namespace net::conformance

int main(int argc, char** argv) {
  try {
    return net::conformance::Main(argc, argv);
  } catch (const std::exception& e) {
    return net::conformance::Fail(e.what());
  }
}
