// The records as tables: groups of implementations, subjects, cases and cells.

// The outcomes and leaks of trials, the most severe first. `kind` selects colour and glyph.
const ENDINGS = [
  {name: "crash", kind: "bad", text: "The process died, or the implementation threw."},
  {name: "timeout", kind: "bad", text: "The trial did not end in time."},
  {name: "harness-error", kind: "bad", text: "The suite itself failed. The trial shows nothing."},
  {name: "fail", kind: "bad", text: "The requirement is not met."},
  {name: "unexpected-pass", kind: "bad", text: "The requirement is met, but a deviation is listed."},
  {name: "leak", kind: "bad", text: "A descriptor was left open, or closed twice."},
  {name: "unexpected-no-leak", kind: "bad", text: "No leak, but one is listed."},
  {name: "expected-fail", kind: "known", text: "The requirement is not met. The deviation is listed, with its reason."},
  {name: "expected-leak", kind: "known", text: "A leak that is listed, with its reason."},
  {name: "variation", kind: "variation", text: "Another behaviour that the requirement allows. Its kind has a name."},
  {name: "pass", kind: "pass", text: "The requirement is met."},
  {name: "unsupported", kind: "none", text: "The implementation claims not to offer this."},
  {name: "precondition", kind: "none", text: "This environment cannot run the case."},
];
const ENDING = new Map(ENDINGS.map((ending, rank) => [ending.name, {...ending, rank}]));

// How far the implementations agree about a case. The last two are also marks of a cell. Only implementations with a
// result count: unsupported cases and those without their precondition show nothing.
const AGREEMENTS = {
  unanimous: "All implementations with a result have the same one.",
  split: "No result is that of more than half of the implementations.",
  minority: "A result of several implementations, but of fewer than half.",
  lone: "A result of one implementation, while others agree with each other.",
};

function endingsOf(record) {
  return record.leak ? [record.outcome, record.leak] : [record.outcome];
}

function endingNamed(name) {
  return ENDING.get(name) ?? {name, kind: "bad", rank: -1, text: ""};
}

// The ending that a reader must see first.
function worstEnding(record) {
  const outcome = endingNamed(record.outcome);
  if (!record.leak) return outcome;
  const leak = endingNamed(record.leak);
  return leak.rank < outcome.rank ? leak : outcome;
}

function subjectOf(id) {
  const parts = id.split(".");
  return parts[0] === "kernel" && parts.length > 1 ? `${parts[0]}.${parts[1]}` : parts[0];
}

// What a trial shows of the implementation; null if it shows nothing. Trials with equal results agree.
function resultOf(record) {
  const leaks = record.leak === "leak" || record.leak === "expected-leak" ? " and leaks" : "";
  switch (record.outcome) {
    case "pass":
    case "unexpected-pass":
      return `meets it${leaks}`;
    case "variation":
      return `variation ${record.message}${leaks}`;
    case "unsupported":
    case "precondition":
    case "harness-error":
      return null;
    default:
      return `deviates${leaks}`;
  }
}

function resultOfCell(cell) {
  const first = resultOf(cell.trials[0]);
  if (cell.trials.every((trial) => resultOf(trial) === first)) return first;
  return [...new Set(cell.trials.map(resultOf).filter((result) => result !== null))].sort().join("; ");
}

function byName(one, other) {
  return one < other ? -1 : one > other ? 1 : 0;
}

// Splits the implementations into groups that share no case, for instance libraries and kernels.
function groupImplementations(cases) {
  const parent = new Map();
  const find = (name) => {
    while (parent.get(name) !== name) name = parent.get(name);
    return name;
  };
  for (const row of cases) {
    const names = [...row.cells.keys()];
    for (const name of names) if (!parent.has(name)) parent.set(name, name);
    for (const name of names) parent.set(find(name), find(names[0]));
  }
  const groups = new Map();
  for (const name of parent.keys()) {
    const root = find(name);
    if (!groups.has(root)) groups.set(root, []);
    groups.get(root).push(name);
  }
  return [...groups.values()];
}

// Marks the row and its cells with how far the implementations agree.
function compareCells(row, reference) {
  const counts = new Map();
  for (const cell of row.cells.values()) {
    if (cell.result !== null) counts.set(cell.result, (counts.get(cell.result) ?? 0) + 1);
  }
  row.results = [...counts.values()].sort((one, other) => other - one);
  const compared = row.results.reduce((sum, count) => sum + count, 0);
  const most = row.results[0] ?? 0;
  const base = row.cells.get(reference)?.result ?? null;
  const marks = new Set();
  for (const cell of row.cells.values()) {
    const own = counts.get(cell.result) ?? 0;
    cell.mark = own === 0 || own === most || 2 * own >= compared ? "" : own === 1 ? "lone" : "minority";
    cell.differs = cell.result !== null && base !== null && cell.result !== base;
    marks.add(cell.mark);
  }
  const agreements = {
    unanimous: compared >= 2 && most === compared, split: compared >= 2 && 2 * most <= compared,
    minority: marks.has("minority"), lone: marks.has("lone"),
  };
  row.agreements = Object.keys(AGREEMENTS).filter((name) => agreements[name]);
  // Letters tell the kinds of variation of a case apart without colour.
  const kinds = new Set();
  for (const cell of row.cells.values()) {
    for (const trial of cell.trials) if (trial.outcome === "variation") kinds.add(trial.message);
  }
  row.kinds = [...kinds].sort(byName);
}

// The same kind of variation has the same hue everywhere.
function hueOf(kind) {
  return (parseInt(crc32(new TextEncoder().encode(kind)), 16) % 12) * 30;
}

function makeModel({page, environment, records}) {
  const cases = new Map();
  const versions = new Map();
  const endings = new Map();
  const keys = new Map();
  for (const record of records) {
    let row = cases.get(record.case);
    if (row === undefined) {
      row = {
        id: record.case, subject: subjectOf(record.case), requirement: record.requirement ?? "",
        source: record.source ?? "", level: record.level ?? "", cells: new Map(), families: new Set(),
        key: encodeURIComponent(record.case),
      };
      cases.set(record.case, row);
    }
    let cell = row.cells.get(record.implementation);
    if (cell === undefined) {
      const name = record.implementation;
      if (!keys.has(name)) keys.set(name, encodeURIComponent(name));
      cell = {row, implementation: name, trials: [], key: `${row.key}@${keys.get(name)}`};
      row.cells.set(record.implementation, cell);
    }
    cell.trials.push(record);
    row.families.add(record.axis);
    if (record.version) versions.set(record.implementation, record.version);
    endings.set(record.outcome, (endings.get(record.outcome) ?? 0) + 1);
    if (record.leak) endings.set(record.leak, (endings.get(record.leak) ?? 0) + 1);
  }
  const rows = [...cases.values()].sort((one, other) => byName(one.id, other.id));
  const tables = groupImplementations(rows).map((names) => {
    const reference = ["net_tcp", "linux"].find((name) => names.includes(name)) ?? [...names].sort(byName)[0];
    const implementations = [reference, ...names.filter((name) => name !== reference).sort(byName)];
    return {reference, implementations, subjects: new Map()};
  });
  const tableOf = new Map(tables.flatMap((table) => table.implementations.map((name) => [name, table])));
  const cells = new Map();
  for (const row of rows) {
    const table = tableOf.get(row.cells.keys().next().value);
    if (!table.subjects.has(row.subject)) table.subjects.set(row.subject, []);
    table.subjects.get(row.subject).push(row);
    for (const cell of row.cells.values()) {
      if (cell.trials.length > 1) cell.trials.sort((one, other) => byName(one.axis, other.axis));
      cell.result = resultOfCell(cell);
      cells.set(cell.key, cell);
    }
    compareCells(row, table.reference);
  }
  tables.sort((one, other) => Number(other.reference === "net_tcp") - Number(one.reference === "net_tcp") ||
    byName(one.reference, other.reference));
  const lines = rows.flatMap((row) => [...row.families].map((family) => `${row.id} ${family} ${row.requirement}\n`));
  return {page, environment, records, rows, tables, cells, versions, endings, hash: hashOfLines(lines)};
}

const NO_FILTER = {text: "", subject: "", agreement: "", differs: false, outcomes: new Set()};

function isFiltering(filter) {
  return filter.text !== "" || filter.subject !== "" || filter.agreement !== "" || filter.differs ||
    filter.outcomes.size > 0;
}

// Returns the cells of a row that the filter lets through.
function matchingCells(row, filter) {
  if (filter.subject && row.subject !== filter.subject) return [];
  if (filter.agreement && !row.agreements.includes(filter.agreement)) return [];
  const words = filter.text.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const textOfRow = words.length ? `${row.id} ${row.requirement} ${row.source}`.toLowerCase() : "";
  const missing = words.filter((word) => !textOfRow.includes(word));
  const matches = (cell) => {
    if (filter.differs && !cell.differs) return false;
    if (filter.outcomes.size &&
        !cell.trials.some((trial) => endingsOf(trial).some((ending) => filter.outcomes.has(ending)))) {
      return false;
    }
    if (!missing.length) return true;
    const text = [cell.implementation, ...cell.trials.flatMap((one) => [one.message, one.leaked, one.error, one.version])]
      .join(" ").toLowerCase();
    return missing.every((word) => text.includes(word));
  };
  return [...row.cells.values()].filter(matches);
}
