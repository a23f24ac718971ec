// The table: subjects that unfold to cases, and a column for each implementation.

const ROWS_AT_ONCE = 200;

function noCounts() {
  return {trials: 0, pass: 0, variation: 0, known: 0, bad: 0, none: 0};
}

// Counts the trials of the matching cells of rows, by implementation.
function countTrials(rows) {
  const counts = new Map();
  for (const [, cells] of rows) {
    for (const cell of cells) {
      if (!counts.has(cell.implementation)) counts.set(cell.implementation, noCounts());
      const own = counts.get(cell.implementation);
      for (const trial of cell.trials) {
        ++own.trials;
        ++own[worstEnding(trial).kind];
      }
    }
  }
  return counts;
}

// Proportions of the endings. The numbers stand beside it, so it has no meaning of its own.
function bar(counts) {
  const element = h("span", {class: "bar", "aria-hidden": "true"});
  for (const kind of ["bad", "known", "variation", "pass", "none"]) {
    if (counts[kind] === 0) continue;
    const part = h("i", {class: kind});
    part.style.flexGrow = counts[kind];
    element.append(part);
  }
  return element;
}

function summaryText(counts) {
  const parts = [[counts.bad, "unexpected"], [counts.known, "known deviations"], [counts.variation, "variations"],
    [counts.none, "not judged"]].filter(([value]) => value > 0).map(([value, name]) => `${number(value)} ${name}`);
  return `${number(counts.pass)} of ${number(counts.trials)} trials pass` + (parts.length ? `: ${parts.join(", ")}` : "");
}

// Passes and trials, with "!" if an outcome is unexpected.
function figures(counts) {
  if (counts.trials === 0) return h("span", {class: "quiet"}, "–");
  return h("span", {class: "figures"}, counts.bad ? h("b", {class: "bang"}, "!") : null, number(counts.pass),
    h("span", {class: "of"}, `/${number(counts.trials)}`));
}

function summaryCell(counts) {
  return h("td", {class: "summary", title: summaryText(counts)},
    figures(counts), bar(counts));
}

function caseCell(cell, matches) {
  if (cell === undefined) return h("td", {class: "result"});
  const trials = distinctTrials(cell);
  const label = `${cell.row.id}, ${cell.implementation}: ${endingsText(cell)}` + (cell.mark ? `, ${cell.mark}` : "");
  return h("td", {class: `result${matches ? "" : " faded"}`},
    h("a", {href: `#${cell.key}`, class: "cell", "data-stop": true, tabindex: "-1", title: label},
      h("span", {class: "hidden"}, label),
      h("span", {class: "signs", "aria-hidden": "true"}, trials.map(([axis, one]) =>
        h("span", {class: "one"}, sign(one, cell.row), axis ? h("small", {}, axis) : null))),
      cell.mark ? h("small", {class: "mark", "aria-hidden": "true"}, cell.mark) : null));
}

function agreementText(row) {
  return row.agreements.length ? `${row.agreements.join(", ")} ${row.results.join(" : ")}` : "–";
}

function agreementCell(row) {
  const differ = row.agreements.length > 0 && !row.agreements.includes("unanimous");
  return h("td", {class: `agreement${differ ? " differ" : ""}`, title: row.agreements.map((one) => AGREEMENTS[one]).join(" ")},
    agreementText(row));
}

function kindsOf(row) {
  return row.kinds.map((kind) => {
    const element = h("span", {class: "kind"}, h("b", {}, letterOf(row, kind)), " ", breakable(kind));
    element.style.setProperty("--hue", hueOf(kind));
    return element;
  });
}

class Table {
  // `rows` are the pairs [row, matching cells] that the filter has left.
  constructor(table, model) {
    this.table = table;
    this.model = model;
    this.open = new Set();
    this.body = h("tbody");
    this.heads = h("tr");
    this.matrix = h("table", {class: "matrix"},
      h("caption", {class: "hidden"}, `Results of ${table.implementations.join(", ")}`),
      h("colgroup", {}, h("col"), h("col", {class: "agreement-column"}),
        table.implementations.map(() => h("col", {class: "implementation-column"}))),
      h("thead", {}, this.heads), this.body);
    this.element = h("div", {class: "scroller", tabindex: "-1"}, this.matrix);
    this.element.style.setProperty("--columns", table.implementations.length);
    this.element.addEventListener("keydown", (event) => this.move(event));
    this.element.addEventListener("focusin", (event) => this.makeStop(event.target));
    const observer = new ResizeObserver(() => this.fit());
    observer.observe(this.matrix);
    observer.observe(this.element);
  }

  // Shows what the filter has left; unfolds subjects if few rows are left or `unfold` is set.
  show(rows, isFiltered) {
    this.rows = rows;
    this.isFiltered = isFiltered;
    this.subjects = new Map();
    for (const pair of rows) {
      const subject = pair[0].subject;
      if (!this.subjects.has(subject)) this.subjects.set(subject, []);
      this.subjects.get(subject).push(pair);
    }
    if (isFiltered && rows.length <= ROWS_AT_ONCE) this.open = new Set(this.subjects.keys());
    this.element.hidden = rows.length === 0;
    this.showHeads();
    this.body.replaceChildren(...[...this.subjects.keys()].flatMap((subject) => this.rowsOf(subject)));
    this.makeStop(this.element.querySelector("[data-stop]"));
  }

  showHeads() {
    const sums = countTrials(this.rows);
    this.heads.replaceChildren(
      h("th", {scope: "col", class: "name"}, "Subject and case"),
      h("th", {scope: "col", class: "agreement"}, "Agreement"),
      ...this.table.implementations.map((name) => {
        const counts = sums.get(name) ?? noCounts();
        const version = this.model.versions.get(name);
        return h("th", {scope: "col", class: "implementation", title: `${name}: ${summaryText(counts)}`},
          h("span", {class: "implementation-name"}, breakable(name)),
          h("span", {class: "version"}, version ? breakable(version.split("+")[0]) : "\u00a0"),
          figures(counts));
      }));
  }

  rowsOf(subject) {
    const rows = this.subjects.get(subject);
    const isOpen = this.open.has(subject);
    const sums = countTrials(rows);
    const compared = rows.filter(([row]) => row.agreements.length > 0);
    const unanimous = compared.filter(([row]) => row.agreements.includes("unanimous")).length;
    const button = h("button", {
      type: "button", class: "unfold", "data-stop": true, tabindex: "-1", "aria-expanded": String(isOpen),
      "data-subject": subject, onclick: () => this.toggle(subject),
    }, h("span", {class: "arrow", "aria-hidden": "true"}), h("span", {},
      h("span", {class: "subject-name"}, breakable(subject)), " ", h("span", {class: "cases"}, count(rows.length, "case"))));
    const head = h("tr", {class: "subject"},
      h("th", {scope: "row", class: "name"}, button),
      h("td", {class: "agreement"}, compared.length
        ? [h("span", {class: "figures"}, `${number(unanimous)}/${number(compared.length)}`), " unanimous"]
        : h("span", {class: "quiet"}, "–")),
      ...this.table.implementations.map((name) => summaryCell(sums.get(name) ?? noCounts())));
    return isOpen ? [head, ...this.caseRows(rows)] : [head];
  }

  caseRows(rows) {
    const shown = rows.slice(0, ROWS_AT_ONCE).map((pair) => this.caseRow(pair));
    if (rows.length > ROWS_AT_ONCE) shown.push(this.moreRow(rows, ROWS_AT_ONCE));
    return shown;
  }

  moreRow(rows, from) {
    const to = Math.min(rows.length, from + ROWS_AT_ONCE);
    const line = h("tr", {class: "case"}, h("th", {scope: "row", class: "name"},
      h("button", {type: "button", class: "plain more", "data-stop": true, tabindex: "-1", onclick: () => {
        const more = rows.slice(from, to).map((pair) => this.caseRow(pair));
        if (to < rows.length) more.push(this.moreRow(rows, to));
        line.replaceWith(...more);
        more[0].querySelector("[data-stop]").focus();
      }}, `Show ${number(to - from)} more of ${count(rows.length, "case")}`)),
    h("td", {colspan: this.table.implementations.length + 1}));
    return line;
  }

  caseRow([row, matching]) {
    const matches = new Set(matching);
    return h("tr", {class: "case"},
      h("th", {scope: "row", class: "name"},
        h("span", {class: "id"}, breakable(row.id)),
        h("span", {class: "requirement"}, row.requirement),
        h("span", {class: "agreement-below"}, agreementText(row)),
        row.kinds.length ? h("span", {class: "kinds"}, kindsOf(row)) : null),
      agreementCell(row),
      ...this.table.implementations.map((name) => {
        const cell = row.cells.get(name);
        return caseCell(cell, cell !== undefined && matches.has(cell));
      }));
  }

  toggle(subject) {
    if (!this.open.delete(subject)) this.open.add(subject);
    const head = this.buttonOf(subject).closest("tr");
    while (head.nextElementSibling && head.nextElementSibling.classList.contains("case")) head.nextElementSibling.remove();
    head.replaceWith(...this.rowsOf(subject));
    const button = this.buttonOf(subject);
    this.makeStop(button);
    button.focus();
  }

  buttonOf(subject) {
    return [...this.body.querySelectorAll("button.unfold")].find((one) => one.dataset.subject === subject);
  }

  // Unfolds the cell's subject, and returns the link of the cell; undefined if the filter hides it.
  reveal(cell) {
    const find = () => [...this.body.querySelectorAll("a.cell")].find((one) => one.hash === `#${cell.key}`);
    if (!find() && this.subjects.has(cell.row.subject) && !this.open.has(cell.row.subject)) {
      this.toggle(cell.row.subject);
    }
    return find();
  }

  // The table is one stop of the tab key; arrow keys move within it.
  makeStop(element) {
    if (!element?.matches("[data-stop]")) return;
    for (const one of this.element.querySelectorAll('[data-stop][tabindex="0"]')) one.tabIndex = -1;
    element.tabIndex = 0;
  }

  move(event) {
    const from = event.target.closest("[data-stop]");
    if (from === null || event.altKey || event.ctrlKey || event.metaKey) return;
    const line = from.closest("tr");
    const stops = (row) => [...row.querySelectorAll("[data-stop]")];
    const lines = [...this.body.rows].filter((row) => stops(row).length > 0);
    const index = lines.indexOf(line);
    const column = (one) => one.closest("td, th").cellIndex;
    const nearest = (row) => row && stops(row).reduce((best, one) =>
      (Math.abs(column(one) - column(from)) < Math.abs(column(best) - column(from)) ? one : best));
    const own = stops(line);
    const place = own.indexOf(from);
    const target = {
      ArrowDown: () => nearest(lines[index + 1]),
      ArrowUp: () => nearest(lines[index - 1]),
      ArrowRight: () => (from.getAttribute("aria-expanded") === "false" ? from : own[place + 1]),
      ArrowLeft: () => (from.getAttribute("aria-expanded") === "true" ? from : own[place - 1]),
      Home: () => own[0],
      End: () => own[own.length - 1],
    }[event.key]?.();
    if (!target) return;
    event.preventDefault();
    if (target === from && from.matches(".unfold") && event.key.startsWith("Arrow")) from.click();
    else target.focus();
  }

  // A table that is too wide scrolls in its own box. Otherwise its head sticks to the top of the window.
  fit() {
    const isTooWide = this.matrix.offsetWidth > this.element.clientWidth + 1;
    this.element.classList.toggle("scrolls", isTooWide);
    this.element.tabIndex = isTooWide ? 0 : -1;
  }
}
