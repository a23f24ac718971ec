// Starts the page: reads the records, and connects the filters, the lists, the table and the dialog.

class Page {
  constructor(model) {
    this.model = model;
    this.filter = {...NO_FILTER, outcomes: new Set()};
    this.tables = model.tables.map((table) => new Table(table, model));
    this.dialog = document.getElementById("detail");
    this.makeControls();
    document.getElementById("table").replaceChildren(
      ...this.tables.flatMap((table) => [this.headingOf(table), table.element]));
    showHeader(model);
    showAbout(model);
    this.show();
    this.listen();
    this.follow();
  }

  headingOf(table) {
    const isOfKernels = [...table.table.subjects.keys()].every((subject) => subject.startsWith("kernel."));
    table.heading = h("h2", {}, isOfKernels ? "Kernels" : "Implementations");
    return table.heading;
  }

  makeControls() {
    const subject = document.getElementById("subject");
    for (const name of this.model.tables.flatMap((table) => [...table.subjects.keys()])) {
      subject.append(h("option", {value: name}, name));
    }
    const agreement = document.getElementById("agreement");
    for (const name of Object.keys(AGREEMENTS)) {
      const rows = this.model.rows.filter((row) => row.agreements.includes(name)).length;
      agreement.append(h("option", {value: name}, `${name} (${number(rows)})`));
    }
    const references = this.model.tables.map((table) => table.reference);
    document.getElementById("differs-label").textContent = `differs from ${references.join(" or ")}`;
    const known = ENDINGS.filter((ending) => this.model.endings.has(ending.name));
    const others = [...this.model.endings.keys()].filter((name) => !ENDING.has(name))
      .map((name) => ({name, kind: "bad", text: ""}));
    document.getElementById("outcomes").replaceChildren(...[...known, ...others].map((ending) =>
      h("button", {
        type: "button", class: `chip ${ending.kind}`, "aria-pressed": "false", title: ending.text,
        "data-outcome": ending.name, onclick: () => this.toggleOutcome(ending.name),
      }, h("span", {class: `sign ${ending.kind}`}, glyph(ending.name)), ending.name, " ",
      h("span", {class: "figures"}, number(this.model.endings.get(ending.name))))));
  }

  toggleOutcome(name) {
    if (!this.filter.outcomes.delete(name)) this.filter.outcomes.add(name);
    this.show();
  }

  listen() {
    const field = (id, event, set) => document.getElementById(id).addEventListener(event, ({target}) => {
      set(target);
      this.show();
    });
    field("text", "input", (target) => (this.filter.text = target.value));
    field("subject", "change", (target) => (this.filter.subject = target.value));
    field("agreement", "change", (target) => (this.filter.agreement = target.value));
    field("differs", "change", (target) => (this.filter.differs = target.checked));
    document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
    document.getElementById("reset").addEventListener("click", () => this.clear());
    document.addEventListener("keydown", (event) => {
      const isTyping = event.target.matches("input, select, textarea");
      if (event.key === "/" && !isTyping && !this.dialog.open) {
        event.preventDefault();
        document.getElementById("text").focus();
      }
    });
    window.addEventListener("hashchange", () => this.follow());
    this.dialog.addEventListener("close", () => this.leaveCell());
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close();
    });
    const bar = document.getElementById("filters");
    new ResizeObserver(() => {
      const isSticky = getComputedStyle(bar).position === "sticky";
      document.documentElement.style.setProperty("--bar", `${isSticky ? bar.offsetHeight : 0}px`);
    }).observe(bar);
  }

  clear() {
    this.filter = {...NO_FILTER, outcomes: new Set()};
    this.show();
  }

  // Shows what the filter lets through, and the filter itself in its controls.
  show() {
    const {filter, model} = this;
    document.getElementById("text").value = filter.text;
    document.getElementById("subject").value = filter.subject;
    document.getElementById("agreement").value = filter.agreement;
    document.getElementById("differs").checked = filter.differs;
    for (const chip of document.querySelectorAll("#outcomes .chip")) {
      chip.setAttribute("aria-pressed", String(filter.outcomes.has(chip.dataset.outcome)));
    }
    const filtering = isFiltering(filter);
    document.getElementById("reset").hidden = !filtering;
    const cells = [];
    let cases = 0;
    for (const table of this.tables) {
      const rows = [];
      for (const row of [...table.table.subjects.values()].flat()) {
        const matching = filtering ? matchingCells(row, filter) : [...row.cells.values()];
        if (matching.length > 0) rows.push([row, matching]);
        for (const cell of matching) cells.push(cell);
      }
      table.heading.hidden = rows.length === 0;
      table.show(rows, filtering);
      cases += rows.length;
    }
    this.cells = cells;
    showLists(cells);
    const trials = cells.reduce((sum, cell) => sum + cell.trials.length, 0);
    document.getElementById("shown").textContent = `${number(cases)} of ${count(model.rows.length, "case")}, ` +
      `${number(trials)} of ${count(model.records.length, "trial")}`;
  }

  // Goes where the address points: to a cell, to a list, or to an outcome (#outcome=pass).
  follow() {
    const name = location.hash.slice(1);
    const cell = this.model.cells.get(name);
    if (cell !== undefined) {
      this.openCell(cell);
      return;
    }
    if (this.dialog.open) this.dialog.close();
    if (name.startsWith("outcome=")) {
      this.filter = {...NO_FILTER, outcomes: new Set([decodeURIComponent(name.slice("outcome=".length))])};
      this.show();
      document.getElementById("table").scrollIntoView();
    } else if (name === "deviations") {
      document.getElementById("deviations-details").open = true;
      document.getElementById("deviations").scrollIntoView();
    }
  }

  openCell(cell) {
    if (!this.dialog.open) this.opener = document.activeElement;
    this.current = cell;
    const place = this.cells.indexOf(cell);
    fillDetail(this.dialog, this.model, cell, place < 0 ? {} : {
      before: this.cells[place - 1], after: this.cells[place + 1],
    });
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.querySelector(".detail-bar button").focus();
    this.dialog.scrollTop = 0;
  }

  // Puts the focus back where the dialog was opened, or on the cell that it has shown last.
  leaveCell() {
    const cell = this.current;
    const {opener} = this;
    if (this.model.cells.has(location.hash.slice(1))) {
      history.replaceState(null, "", location.pathname + location.search);
    }
    if (opener?.isConnected && opener.hash === `#${cell.key}`) {
      opener.focus();
      return;
    }
    const table = this.tables.find((one) => one.table.implementations.includes(cell.implementation));
    const link = table.reveal(cell);
    link?.focus();
    link?.scrollIntoView({block: "center"});
  }
}

readRecords().then((found) => {
  new Page(makeModel(found));
  document.documentElement.dataset.ready = "true";
}).catch((error) => {
  document.getElementById("verdict").textContent = "The records of this page cannot be read";
  document.getElementById("extent").textContent = String(error);
  throw error;
});
