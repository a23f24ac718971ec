// Tests the page in a browser: node --test page_test.mjs, after `npm ci`. harness.mjs reads the environment. The tests of
// page_rest_test.mjs take longer.

import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {readFileSync, writeFileSync} from "node:fs";
import path from "node:path";
import {test} from "node:test";
import {
  browser, cell, clickAll, close, conformance, escape, focused, folder, numberIn, open, outcome, pageOf, seriousFindings, texts,
  unfold, unfoldAll,
} from "./harness.mjs";
import {FAILURE, HOSTILE, HOSTILE_CASE, HOSTILE_IMPLEMENTATION, madeUpRecords} from "./made_up_records.mjs";

// The counts of a run, made from its file of records in another way than the page does.
function countRecords(lines, group) {
  const counts = {};
  for (const line of lines) {
    for (const name of group(JSON.parse(line))) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

test("the page of a run counts what the file of records has", async () => {
  conformance("--implementations=net_tcp,asio,linux", "--cases=listen.*,close.*,kernel.bind.*", "--records=run.jsonl",
    "--html=run.html", "--badge=run.svg", "--markdown=run.md");
  const lines = readFileSync(path.join(folder, "run.jsonl"), "utf8").trim().split("\n").slice(1);
  const page = await open(path.join(folder, "run.html"));

  assert.equal(await page.locator("#verdict").textContent(), "No unexpected outcome");
  const chips = await page.locator("#outcomes .chip").evaluateAll((all) =>
    all.map((chip) => [chip.dataset.outcome, chip.querySelector(".figures").textContent]));
  assert.deepEqual(Object.fromEntries(chips.map(([name, text]) => [name, numberIn(text)])),
    countRecords(lines, (one) => [one.outcome, one.leak].filter((name) => name)));

  const subjectOf = (id) => id.split(".").slice(0, id.startsWith("kernel.") ? 2 : 1).join(".");
  const expected = countRecords(lines, (one) => {
    const name = `${subjectOf(one.case)} ${one.implementation}`;
    return one.outcome === "pass" ? [`${name} trials`, `${name} passes`] : [`${name} trials`];
  });
  const shown = await page.evaluate(() => {
    const counts = {};
    for (const table of document.querySelectorAll(".matrix")) {
      const names = [...table.querySelectorAll(".implementation-name")].map((one) => one.textContent);
      for (const row of table.querySelectorAll("tr.subject")) {
        const subject = row.querySelector(".subject-name").textContent;
        row.querySelectorAll(".summary").forEach((summary, i) => {
          if (!summary.textContent.includes("/")) return;
          const [passes, trials] = summary.textContent.replaceAll(",", "").split("/").map(Number);
          counts[`${subject} ${names[i]} trials`] = trials;
          counts[`${subject} ${names[i]} passes`] = passes;
        });
      }
    }
    return counts;
  });
  assert.deepEqual(shown, expected);

  // The case list has the same hash in all reports.
  const hash = await page.locator("#facts dd").last().textContent();
  assert.match(hash, /^[0-9a-f]{8}$/);
  const cases = new Set(lines.map((line) => JSON.parse(line).case)).size;
  for (const report of ["run.svg", "run.md"]) {
    const text = readFileSync(path.join(folder, report), "utf8");
    assert.ok(text.includes(`${cases} cases (list ${hash})`), text.slice(0, 1000));
  }

  // A cell has its case in C, which does what this machine's kernel does.
  for (const [id, implementation] of [["listen.backlog.given", "net_tcp"], ["kernel.bind.named_port", "linux"]]) {
    await page.goto(`file://${folder}/run.html#${id}@${implementation}`);
    await page.locator("dialog .program summary").click();
    const program = await page.locator("dialog .program pre").textContent();
    assert.ok(program.includes(` * ${id} on IPv4\n`), program);
    writeFileSync(path.join(folder, "case.c"), program);
    execFileSync("cc", ["-pthread", "-o", "case", "case.c"], {cwd: folder});
    assert.match(execFileSync("./case", {cwd: folder, encoding: "utf8"}), /All results are as expected\.\n$/);
  }
  await close(page);

  // The badge links to the lists.
  const badge = await browser.newPage();
  await badge.goto(`file://${folder}/run.svg`);
  await badge.locator("a").nth(2).click();
  await badge.waitForSelector("html[data-ready]");
  assert.equal(await outcome(badge, "pass").getAttribute("aria-pressed"), "true");
  await badge.close();
});

test("failures come first, and flat", async () => {
  const page = await open(pageOf("made_up", madeUpRecords()));
  assert.equal(await page.locator("#verdict").textContent(), "15 unexpected outcomes");
  assert.equal(await page.locator("#extent").textContent(), "of 62 trials of 9 cases for 7 implementations");
  const sections = await page.evaluate(() => [...document.querySelectorAll("main > section")].map((one) => one.id));
  assert.deepEqual(sections, ["failures", "deviations", "table", "about"]);
  const entries = await texts(page.locator("#failures .entry-name"));
  assert.deepEqual(entries, [
    "net_tcp connect.ends", "asio connect.ends", "go connect.ends", "rust connect.ends", "net_tcp connect.families",
    "go connect.leaks", "go listen.lone", `${HOSTILE_IMPLEMENTATION} ${HOSTILE_CASE}`,
  ]);
  assert.equal(await page.locator("#failures .entry-reason").nth(6).textContent(), "expected: is equal to 10; actual: 11");
  assert.deepEqual(await texts(page.locator("#deviations .entry-name")),
    ["rust connect.leaks", "go listen.two_differ", "rust listen.two_differ"]);
  await close(page);
});

test("results that are unanimous, of a minority or alone are marked", async () => {
  const page = await open(pageOf("made_up", madeUpRecords()));
  for (const subject of ["accept", "listen"]) await unfold(page, subject).click();
  const agreement = (id) =>
    page.locator("tr.case", {hasText: `Requirement of ${id}.`}).locator("td.agreement").textContent();
  assert.equal(await agreement("accept.unanimous"), "unanimous 5");
  assert.equal(await agreement("listen.lone"), "lone 4 : 1");
  assert.equal(await agreement("listen.minority"), "split, lone 2 : 1 : 1");
  assert.equal(await agreement("listen.two_differ"), "minority 3 : 2");
  assert.equal(await cell(page, "listen.lone", "go").locator(".mark").textContent(), "lone");
  assert.equal(await cell(page, "listen.two_differ", "rust").locator(".mark").textContent(), "minority");
  assert.equal(await cell(page, "listen.lone", "asio").locator(".mark").count(), 0);
  await close(page);
});

test("kinds of variation differ in colour, letter and name", async () => {
  const page = await open(pageOf("made_up", madeUpRecords()));
  await unfold(page, "listen").click();
  const signs = await Promise.all(["go", "rust"].map((name) =>
    cell(page, "listen.minority", name).locator(".sign").evaluate((one) => [one.textContent, getComputedStyle(one).color])));
  assert.deepEqual(signs.map(([letter]) => letter), ["A", "B"]);
  assert.notEqual(signs[0][1], signs[1][1]);
  const kinds = page.locator("tr.case", {hasText: "Requirement of listen.minority."}).locator(".kind");
  assert.deepEqual(await texts(kinds), ["A kind_of_go", "B kind_of_rust"]);
  assert.match(await cell(page, "listen.minority", "go").locator(".hidden").textContent(), /variation kind_of_go/);
  // No two outcomes have the same shape.
  const shapes = await page.locator("#outcomes .chip path").evaluateAll((all) => all.map((one) => one.getAttribute("d")));
  assert.equal(new Set(shapes).size, shapes.length);
  assert.ok(shapes.length >= 12);
  await close(page);
});

test("filters", async () => {
  const page = await open(pageOf("made_up", madeUpRecords()));
  const shown = () => page.locator("#shown").textContent();
  const rows = () => texts(page.locator("tr.case .id"));
  assert.equal(await shown(), "9 of 9 cases, 62 of 62 trials");

  await outcome(page, "expected-fail").click();
  assert.equal(await shown(), "1 of 9 cases, 4 of 62 trials");
  assert.deepEqual(await rows(), ["listen.two_differ"]);
  assert.equal(await page.locator("#failures .entry").count(), 0);
  await outcome(page, "timeout").click();
  assert.deepEqual(await rows(), ["connect.families", "listen.two_differ"]);
  await page.locator("#reset").click();
  assert.equal(await shown(), "9 of 9 cases, 62 of 62 trials");

  await page.locator("#subject").selectOption("kernel.bind");
  assert.deepEqual(await rows(), ["kernel.bind.twice"]);
  await page.locator("#reset").click();

  await page.locator("#text").fill("LISTEN.LONE sigsegv");
  assert.deepEqual(await rows(), []);
  await page.locator("#text").fill("connect SIGSEGV");
  assert.equal(await shown(), "1 of 9 cases, 2 of 62 trials");
  await page.locator("#text").fill(HOSTILE.slice(0, 20));
  assert.equal(await shown(), "1 of 9 cases, 2 of 62 trials");
  await page.locator("#reset").click();

  await page.locator("#differs").check();
  const differing = await page.locator("tr.case td:not(.faded) a.cell").evaluateAll((all) => all.map((one) => one.hash));
  assert.deepEqual(differing.slice(-5), [
    "#listen.lone@go", "#listen.minority@go", "#listen.minority@rust", "#listen.two_differ@go", "#listen.two_differ@rust",
  ]);
  await page.locator("#reset").click();

  await page.locator("#agreement").selectOption("minority");
  assert.deepEqual(await rows(), ["listen.two_differ"]);
  await close(page);
});

test("a cell opens everything about it", async () => {
  const page = await open(pageOf("made_up", madeUpRecords()), {hash: "#listen.two_differ@go"});
  const terms = () => page.locator("dialog .term").evaluateAll((all) =>
    Object.fromEntries(all.map((one) => [one.querySelector("dt").textContent, one.querySelector("dd").textContent])));
  assert.deepEqual(await terms(), {
    "Requirement": "Requirement of listen.two_differ. must", "Source": "listen(2)", "Agreement": "minority 3 : 2",
    "Expected": "is equal to 10", "Actual": "11", "Why this is expected": "a known reason conformance/drivers/go.expectations:12",
  });
  assert.equal(await page.locator("dialog .command pre").textContent(),
    `${process.env.CONFORMANCE} --cases=listen.two_differ --implementations=go`);
  // The address changes, and so does the dialog.
  await page.locator("dialog .others a", {hasText: "rust"}).click();
  assert.equal(await page.evaluate(() => location.hash), "#listen.two_differ@rust");
  await page.goto(page.url().replace(/#.*/, "#listen.lone@go"));
  assert.equal(await page.locator("#detail-title").textContent(), "listen.lone");
  const calls = page.locator("dialog details", {hasText: "Last system calls"});
  assert.equal(await calls.locator("pre").textContent(), "case: listen(7, 11) = 0\ncase: close(7) = 0");
  assert.equal((await terms()).Error, "EACCES");
  assert.equal(await page.locator("dialog .program").textContent(),
    "There is none: the program that made this page does not have the case");
  await page.locator("dialog summary", {hasText: "Message"}).click();
  assert.equal(await page.locator("dialog details", {hasText: "Message"}).locator("pre").textContent(), FAILURE);
  await close(page);
});

test("each cell has an anchor", async () => {
  const file = pageOf("made_up", madeUpRecords());
  const page = await open(file);
  const {records} = madeUpRecords();
  for (const [id, implementation] of [["connect.families", "net_tcp"], [HOSTILE_CASE, HOSTILE_IMPLEMENTATION]]) {
    assert.ok(records.some((one) => one.case === id && one.implementation === implementation));
    await page.goto(`file://${file}#${encodeURIComponent(id)}@${encodeURIComponent(implementation)}`);
    assert.equal(await page.locator("#detail-title").textContent(), id);
    assert.ok((await page.locator("dialog .kicker").textContent()).startsWith(implementation));
  }
  await escape(page);
  assert.equal(await page.locator("dialog[open]").count(), 0);
  // Every link to a cell leads to one.
  await unfoldAll(page);
  const links = await page.locator("a.cell").evaluateAll((all) => all.map((one) => one.getAttribute("href")));
  assert.equal(links.length, new Set(records.map((one) => `${one.case} ${one.implementation}`)).size);
  for (const link of links) {
    await page.evaluate((hash) => (location.hash = hash), link);
    await page.waitForFunction((hash) => document.querySelector("dialog[open] [aria-current]")?.getAttribute("href") === hash, link);
  }
  await page.goto(`file://${file}#outcome=variation`);
  assert.equal(await outcome(page, "variation").getAttribute("aria-pressed"), "true");
  await page.goto(`file://${file}#deviations`);
  assert.ok(await page.locator("#deviations-details").evaluate((one) => one.open));
  await close(page);
});

test("the keyboard reaches everything", async () => {
  const page = await open(pageOf("made_up", madeUpRecords()));
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "text");
  // The table is one stop of the tab key.
  await unfold(page, "accept").focus();
  await press("ArrowRight");
  assert.equal(await unfold(page, "accept").getAttribute("aria-expanded"), "true");
  await press("ArrowDown");
  assert.equal(await focused(page), "accept.unanimous, net_tcp: pass");
  await press("ArrowRight", "ArrowRight");
  assert.equal(await focused(page), "accept.unanimous, asio: pass");
  await press("End", "Home");
  assert.equal(await focused(page), "accept.unanimous, net_tcp: pass");
  await press("Enter");
  assert.equal(await page.locator("#detail-title").textContent(), "accept.unanimous");
  await escape(page);
  assert.equal(await focused(page), "accept.unanimous, net_tcp: pass");
  await press("ArrowUp", "ArrowLeft");
  assert.equal(await unfold(page, "accept").getAttribute("aria-expanded"), "false");
  assert.equal(await page.locator('#table [data-stop][tabindex="0"]').count(), 2);
  await press("Tab", "Tab");
  assert.ok(!(await focused(page)).includes("accept"));
  // From the list of failures to a cell and back.
  await page.locator("#failures .entry").first().focus();
  await press("Enter");
  assert.equal(await page.locator("#detail-title").textContent(), "connect.ends");
  await escape(page);
  assert.match(await focused(page), /^net_tcp connect.ends/);
  await outcome(page, "crash").focus();
  await press("Space");
  assert.equal(await outcome(page, "crash").getAttribute("aria-pressed"), "true");
  await close(page);
});

test("hostile text stays text", async () => {
  const page = await open(pageOf("made_up", madeUpRecords()));
  await unfoldAll(page);
  await page.locator("#failures .entry").last().click();
  await clickAll(page.locator("dialog details:not([open]) > summary"));
  assert.equal(await page.locator("img").count(), 0);
  assert.equal(await page.locator("script").count(), 3);
  const [title, text] = await page.evaluate(() => [
    document.getElementById("detail-title").textContent, document.querySelector("dialog").textContent]);
  assert.equal(title, HOSTILE_CASE);
  // Requirement, source, error, actual, descriptors, calls, session, message, version, level; and the name of the case.
  assert.ok(text.split(HOSTILE).length > 10, text);
  assert.ok((await page.locator("#about").textContent()).split(HOSTILE).length === 5);
  const command = await page.locator("dialog .command pre").textContent();
  assert.ok(command.endsWith(` --implementations='${HOSTILE_IMPLEMENTATION}'`), command);
  await close(page);
});

test("axe-core finds nothing serious", async () => {
  // Scripts of the test are not those of the page, which allows its own only.
  const page = await open(pageOf("made_up", madeUpRecords()));
  await page.locator("#deviations summary").click();
  await unfoldAll(page);
  assert.deepEqual(await seriousFindings(page), []);
  await page.locator("#failures .entry").nth(6).click();
  assert.deepEqual(await seriousFindings(page), []);
  await close(page);
});
