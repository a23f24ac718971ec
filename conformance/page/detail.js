// The dialog of a cell.

function withoutLastNewlines(text) {
  return text.replace(/\n+$/, "");
}

// Splits a message into the expectation's reason and its place, the findings, and the session with a driver.
function partsOfMessage(text, hasReason) {
  let rest = text ?? "";
  let reason = "";
  let place = "";
  if (hasReason) {
    reason = firstLine(rest);
    rest = rest.slice(reason.length + 1);
    const found = reason.match(/^(.*) \((\S+:\d+)\)$/s);
    if (found) [, reason, place] = found;
  }
  const heading = "the session:\n";
  const at = rest.startsWith(heading) ? 0 : rest.indexOf("\n" + heading) + 1;
  const hasSession = rest.startsWith(heading, at);
  return {
    reason, place,
    findings: withoutLastNewlines(hasSession ? rest.slice(0, at) : rest),
    session: hasSession ? withoutLastNewlines(rest.slice(at + heading.length)) : "",
  };
}

function pre(text) {
  return h("pre", {tabindex: "0"}, text);
}

function term(name, ...value) {
  return h("div", {class: "term"}, h("dt", {}, name), h("dd", {}, ...value));
}

function actualOf(record, parts) {
  switch (record.outcome) {
    case "pass":
      return "as expected";
    case "variation":
      return `variation: ${record.message}`;
    case "unsupported":
    case "precondition":
      return `${record.outcome}: ${record.message}`;
    default: {
      const {actual} = expectedAndActual(parts.findings);
      const text = actual ?? (firstLine(parts.findings) || record.outcome);
      return text.includes("\n") ? pre(text) : text;
    }
  }
}

function trialSection(record, row) {
  const hasReason = record.outcome === "expected-fail";
  const parts = partsOfMessage(record.message, hasReason);
  const leak = partsOfMessage(record.leaked, record.leak === "expected-leak");
  const {expected} = expectedAndActual(parts.findings);
  const reasons = [[parts.reason, parts.place], [leak.reason, leak.place]].filter(([reason]) => reason !== "");
  const terms = [
    term("Expected", expected ?? row.requirement),
    term("Actual", actualOf(record, parts)),
    ...reasons.map(([reason, place]) =>
      term("Why this is expected", reason, place ? h("span", {class: "place"}, " ", place) : null)),
    record.error ? term("Error", h("code", {}, record.error)) : null,
    record.rerun ? term("Run again", record.rerun) : null,
  ];
  const texts = [
    ["Descriptors", record.leak ? leak.findings : ""],
    ["Last system calls", record.calls],
    ["Session with the driver", parts.session],
    ["Message", ["variation", "unsupported", "precondition"].includes(record.outcome) ? "" : parts.findings],
  ].filter(([, text]) => text);
  return h("section", {class: "trial"},
    h("h3", {}, sign(record, row), " ", endingText(record),
      h("span", {class: "ms"}, ` ${familyName(record.axis)}, ${number(record.ms ?? 0)} ms`)),
    h("dl", {}, terms),
    texts.map(([name, text]) => h("details", {open: name === "Last system calls"},
      h("summary", {}, `${name} (${count(text.split("\n").length, "line")})`), pre(text))));
}

// The other implementations' results of the same case.
function otherCells(cell, table) {
  return h("ul", {class: "others"}, table.implementations.filter((name) => cell.row.cells.has(name)).map((name) => {
    const other = cell.row.cells.get(name);
    return h("li", {}, h("a", {href: `#${other.key}`, "aria-current": other === cell ? "true" : null},
      distinctTrials(other).map(([, one]) => sign(one, cell.row)),
      h("span", {}, breakable(name)), h("small", {}, endingsText(other) + (other.mark ? `, ${other.mark}` : ""))));
  }));
}

function shellWord(word) {
  return /^[A-Za-z0-9_.,:/@=+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function commandFor(model, cell) {
  const start = model.page.command || "./bazelw run //conformance --";
  const isDriver = / --driver[= ]/.test(start);
  return `${start} --cases=${shellWord(cell.row.id)}` +
    (isDriver ? "" : ` --implementations=${shellWord(cell.implementation)}`);
}

function copyButton(text) {
  // A browser may forbid it.
  const copy = () => navigator.clipboard.writeText(text).then(
    () => (button.textContent = "Copied"), () => (button.textContent = "Cannot copy"));
  const button = h("button", {type: "button", class: "plain", onclick: copy}, "Copy");
  return button;
}

// The standalone C program of a case, or why there is none.
function programSection(id) {
  const section = h("div", {class: "program", "aria-busy": "true"});
  programOf(id).then(({text, reason}) => {
    section.setAttribute("aria-busy", "false");
    section.append(text === undefined
      ? h("p", {class: "note"}, `There is none: ${reason}`)
      : h("details", {}, h("summary", {}, `Standalone program (${count(text.trimEnd().split("\n").length, "line")})`),
        h("div", {class: "command"}, pre(text), copyButton(text))));
  });
  return section;
}

function fillDetail(dialog, model, cell, neighbours) {
  const {row} = cell;
  const table = model.tables.find((one) => one.implementations.includes(cell.implementation));
  const version = model.versions.get(cell.implementation);
  const command = commandFor(model, cell);
  const step = (name, other) => (other
    ? h("a", {href: `#${other.key}`, class: "step", rel: name.toLowerCase()}, name)
    : h("span", {class: "step off"}, name));
  // Trials that differ only in the family and the time are shown once.
  const texts = new Set(cell.trials.map(({axis, ms, ...rest}) => JSON.stringify(rest)));
  const trials = texts.size === 1 ? [cell.trials[0]] : cell.trials;
  dialog.replaceChildren(
    h("div", {class: "detail-bar"},
      step("Previous", neighbours.before), step("Next", neighbours.after),
      h("button", {type: "button", class: "plain", onclick: () => dialog.close()}, "Close")),
    h("div", {class: "detail-body"},
      h("p", {class: "kicker"}, cell.implementation, version ? ` ${version}` : ""),
      h("h2", {id: "detail-title"}, breakable(row.id)),
      h("dl", {},
        term("Requirement", row.requirement, " ", h("span", {class: "level"}, row.level)),
        term("Source", row.source),
        term("Agreement", row.agreements.length ? agreementText(row) : "fewer than two implementations have a result")),
      trials.map((trial) => trialSection(trial, row)),
      trials.length < cell.trials.length
        ? h("p", {class: "note"}, `The same ${cell.trials.length} times: ` +
          cell.trials.map((one) => `${familyName(one.axis)} ${number(one.ms ?? 0)} ms`).join(", ") + ".")
        : null,
      h("h3", {}, "Repeat it"),
      h("div", {class: "command"}, pre(command), copyButton(command)),
      h("h3", {}, "The case in C"),
      programSection(row.id),
      h("h3", {}, "The same case elsewhere"),
      otherCells(cell, table),
      h("p", {class: "note"}, "Permanent link: ", h("a", {href: `#${cell.key}`}, `#${cell.key}`))));
}
