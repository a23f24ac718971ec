// What stands above the table: the verdict, the facts, and the flat lists of failures and known deviations.

function trialsOf(model, kind) {
  return model.records.filter((record) => worstEnding(record).kind === kind);
}

function showHeader(model) {
  const bad = trialsOf(model, "bad").length;
  const total = model.records.length;
  const verdict = document.getElementById("verdict");
  verdict.textContent = total === 0 ? "No trial was run"
    : bad === 0 ? "No unexpected outcome" : `${count(bad, "unexpected outcome")}`;
  verdict.className = total === 0 ? "" : bad === 0 ? "good" : "bad";
  if (total > 0) verdict.prepend(glyph(bad === 0 ? "pass" : "fail"));
  document.title = `${bad}/${total} unexpected: TCP conformance`;
  const implementations = model.tables.reduce((sum, table) => sum + table.implementations.length, 0);
  document.getElementById("extent").textContent =
    `${bad === 0 ? "in" : "of"} ${count(total, "trial")} of ${count(model.rows.length, "case")} for ` +
    `${count(implementations, "implementation")}`;
  const environment = model.environment;
  const facts = {
    "Date": model.page.date ?? "not recorded",
    "Kernel": `Linux ${environment.kernel ?? "unknown"} ${environment.machine ?? ""}`,
    "Privileges": environment.euid === 0 ? "root (uid 0)" : `uid ${environment.euid ?? "unknown"}`,
    "Case list": model.hash,
  };
  document.getElementById("facts").replaceChildren(
    ...Object.entries(facts).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

// The reason of a deviation, or what was expected and found.
function reasonOf(record) {
  const text = (record.outcome === "pass" ? record.leaked : record.message || record.leaked) ?? "";
  if (record.outcome === "fail") {
    const {expected, actual} = expectedAndActual(text);
    if (expected !== null && actual !== null) return `expected: ${expected}; actual: ${actual}`;
  }
  return firstLine(text) || "(no message)";
}

function listItem(cell) {
  const trial = cell.trials.reduce((worst, one) => (worstEnding(one).rank < worstEnding(worst).rank ? one : worst));
  return h("li", {class: worstEnding(trial).kind},
    h("a", {href: `#${cell.key}`, class: "entry"},
      sign(trial, cell.row),
      h("span", {class: "entry-name"}, h("strong", {}, breakable(cell.implementation)), " ",
        h("span", {class: "id"}, breakable(cell.row.id))),
      h("span", {class: "entry-ending"}, endingsText(cell)),
      h("span", {class: "entry-reason"}, reasonOf(trial))));
}

function showList(id, cells, none) {
  const parent = document.getElementById(id);
  if (cells.length === 0) {
    parent.replaceChildren(h("p", {class: "nothing"}, none));
    return;
  }
  const list = h("ul", {class: "entries"});
  parent.replaceChildren(list);
  showInParts(list, cells, listItem);
}

// Shows both lists for the cells that the filter lets through.
function showLists(cells) {
  const worstKind = (cell) => {
    const kinds = cell.trials.map((trial) => worstEnding(trial).kind);
    return kinds.includes("bad") ? "bad" : kinds.includes("known") ? "known" : "";
  };
  const bad = cells.filter((cell) => worstKind(cell) === "bad");
  const known = cells.filter((cell) => worstKind(cell) === "known");
  const title = (id, name, list, kind) => {
    const trials = list.flatMap((cell) => cell.trials).filter((trial) => worstEnding(trial).kind === kind).length;
    document.getElementById(id).replaceChildren(name, h("span", {class: "size"},
      list.length ? `${count(trials, "trial")} in ${count(list.length, "cell")}` : "none"));
  };
  title("failures-title", "Unexpected outcomes", bad, "bad");
  title("deviations-title", "Known deviations", known, "known");
  showList("failures-list", bad, "Every outcome is one that the contract or a list of known deviations allows.");
  showList("deviations-list", known, "None.");
}

function showAbout(model) {
  const names = model.tables.flatMap((table) => table.implementations);
  const rowsOf = (entries) => entries.map(([name, value]) =>
    h("tr", {}, h("th", {scope: "row"}, breakable(name)), h("td", {}, value)));
  const environment = model.environment;
  const table = (title, entries) => h("table", {class: "plain-table"}, h("caption", {}, title),
    h("tbody", {}, rowsOf(entries)));
  const text = (value) => (value === null || value === undefined ? "not on this kernel" : String(value));
  document.getElementById("about-body").replaceChildren(
    h("div", {class: "columns"},
      table("Versions", names.map((name) => [name, model.versions.get(name) ?? "no version of its own"])),
      table("Environment", [
        ["recorded", model.page.date ?? "not recorded"],
        ["kernel", `Linux ${text(environment.kernel)}`],
        ["machine", text(environment.machine)],
        ["effective user id", text(environment.euid)],
        ["compiler", text(environment.compiler)],
        ["version of the suite", text(environment.suite_version)],
        ["case list", `${model.hash} (${count(model.rows.length, "case")})`],
        ["trials", number(model.records.length)],
      ]),
      table("Sysctls", Object.entries(environment.sysctls ?? {}).map(([name, value]) => [name, text(value)])),
      table("Outcomes", ENDINGS.map((ending) => [ending.name, ending.text])),
      table("Agreement", Object.entries(AGREEMENTS))),
    h("p", {class: "note"},
      "The case list is the CRC-32 of the sorted lines of case, address family and requirement. Compare counts only " +
      "between pages with the same case list."));
}
