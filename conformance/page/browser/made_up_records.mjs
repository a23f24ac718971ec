// Files of records that no run has made: every outcome and leak, hostile text, and as many records as a page must hold.

export const HOSTILE = `</script><script>window.attacked = 1</script><img src=x onerror="window.attacked = 1">'"&amp;\u2028\u2029`;
// A case and an implementation whose names are markup, and need escaping in an address.
export const HOSTILE_CASE = `odd.${HOSTILE}`;
export const HOSTILE_IMPLEMENTATION = `"><script>window.attacked = 1</script>@#%20`;

const ENVIRONMENT = {
  environment: {
    suite_version: 1, kernel: "6.18.1-made-up", machine: "x86_64", euid: 1000, compiler: HOSTILE,
    sysctls: {"net.core.somaxconn": "4096", [HOSTILE]: HOSTILE, "net.none": null},
  },
};

function record(id, axis, implementation, outcome, rest = {}) {
  return {
    case: id, axis, implementation, outcome, leak: "", level: "must", ms: 3, requirement: `Requirement of ${id}.`,
    source: "listen(2)", message: "", error: "", leaked: "", calls: "", version: "", ...rest,
  };
}

// Calls make(axis) for both families.
function both(make) {
  return ["v4", "v6"].map(make);
}

export const FAILURE = "conformance/cases/listen.cc:7: Value of: settings.backlog\n  Actual: 11\nExpected: is equal to 10";

// What the page must show about these is written in page_test.mjs.
export function madeUpRecords() {
  const records = [];
  const add = (id, implementation, outcome, rest) =>
    records.push(...both((axis) => record(id, axis, implementation, outcome, rest)));
  const all = ["net_tcp", "asio", "go", "rust", HOSTILE_IMPLEMENTATION];
  for (const name of all) add("accept.unanimous", name, "pass", name === "asio" ? {version: "1.22.1"} : {});
  for (const name of all) add("listen.lone", name, name === "go" ? "fail" : "pass", name === "go"
    ? {message: FAILURE, calls: "case: listen(7, 11) = 0\ncase: close(7) = 0", error: "EACCES"} : {});
  for (const name of all) {
    const outcome = ["go", "rust"].includes(name) ? "variation" : name === "asio" ? "unsupported" : "pass";
    add("listen.minority", name, outcome, outcome === "pass" ? {} : {message: `kind_of_${name}`});
  }
  for (const name of ["net_tcp", "asio", "go", "rust", HOSTILE_IMPLEMENTATION]) {
    const differs = ["go", "rust"].includes(name);
    add("listen.two_differ", name, differs ? "expected-fail" : "pass",
      differs ? {message: `a known reason (conformance/drivers/${name}.expectations:12)\n${FAILURE}`} : {});
  }
  // The families differ.
  records.push(record("connect.families", "v4", "net_tcp", "pass"), record("connect.families", "v6", "net_tcp", "timeout",
    {message: "did not end within 60s"}));
  records.push(record("connect.families", "v4", "asio", "pass"), record("connect.families", "v6", "asio", "precondition",
    {message: "needs IPv6"}));
  add("connect.ends", "net_tcp", "crash", {message: "killed by SIGSEGV"});
  add("connect.ends", "asio", "unexpected-pass", {message: "it passes, but asio.expectations:3 expects: fail"});
  add("connect.ends", "go", "harness-error", {message: "the suite failed"});
  add("connect.ends", "rust", "pass", {leak: "leak", leaked: "descriptor 9: socket, left open"});
  add("connect.leaks", "go", "pass", {leak: "unexpected-no-leak", leaked: "it does not leak, but go.expectations:4 expects a leak"});
  add("connect.leaks", "rust", "pass",
    {leak: "expected-leak", leaked: "keeps it open (conformance/drivers/rust.expectations:5)\ndescriptor 9"});
  add(HOSTILE_CASE, HOSTILE_IMPLEMENTATION, "fail", {
    requirement: HOSTILE, source: HOSTILE, message: `${HOSTILE}\nthe session:\n> ${HOSTILE}`, error: HOSTILE, leak: "leak",
    leaked: HOSTILE, calls: HOSTILE, version: HOSTILE, level: HOSTILE,
  });
  for (const name of ["linux", "fake_kernel"]) add("kernel.bind.twice", name, "pass");
  return {environment: ENVIRONMENT, records};
}

// A cell of each kind, by the ending that it shows.
export const ENDINGS_MADE_UP = {
  "pass": "#accept.unanimous@net_tcp", "fail": "#listen.lone@go", "variation": "#listen.minority@go",
  "unsupported": "#listen.minority@asio", "expected-fail": "#listen.two_differ@rust", "timeout": "#connect.families@net_tcp",
  "crash": "#connect.ends@net_tcp", "leak": "#connect.ends@rust", "expected-leak": "#connect.leaks@rust",
};

// As many records of cases with these ids as a page must hold. Outcomes are as frequent, and messages as long, as in a run of
// all columns.
export function manyRecords(size, ids) {
  const records = [];
  const endings = Object.entries({"pass": 42, "unsupported": 5, "variation": 1, "expected-fail": 1, "fail": 1})
    .flatMap(([name, times]) => Array(times).fill(name));
  const perCase = 2 * Math.ceil(size / ids.length / 2);
  for (let i = 0; records.length < size; ++i) {
    const [family, implementation, number] = [i % 2, Math.floor((i % perCase) / 2), Math.floor(i / perCase)];
    const outcome = endings[(number * 7 + implementation * 3) % endings.length];
    const isFailure = ["fail", "expected-fail"].includes(outcome);
    records.push(record(ids[number], ["v4", "v6"][family],
      `implementation${implementation}`, outcome, {
        ms: (i * 31) % 900, requirement: `Case ${number} must do what listen(2) of descriptor ${number % 50} describes.`,
        message: outcome === "pass" ? "" : `reason ${i % 400} (some.expectations:${i % 400})\n${FAILURE}`,
        calls: isFailure ? `case: connect(${i % 90}, {AF_INET, 127.0.0.1:${(i * 7919) % 60000}}, 16) = 0\n`.repeat(12) : "",
        version: `1.${implementation}`,
      }));
  }
  return {environment: ENVIRONMENT, records};
}

export function toLines({environment, records}) {
  return [environment, ...records].map((one) => JSON.stringify(one) + "\n").join("");
}
