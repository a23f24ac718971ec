// The tests of the page that take longer: every view in both colour schemes and sizes, with pictures, and a page with as many
// records as it must hold. node --test page_rest_test.mjs, after `npm ci`. harness.mjs reads the environment.

import assert from "node:assert/strict";
import {statSync} from "node:fs";
import path from "node:path";
import {test} from "node:test";
import {close, conformance, folder, open, outcome, pageOf, picture, seriousFindings, unfoldAll} from "./harness.mjs";
import {ENDINGS_MADE_UP, madeUpRecords, manyRecords} from "./made_up_records.mjs";

const MOST_BYTES = 20e6;
const MOST_SECONDS = 2;

for (const [name, options] of Object.entries({
  light: {}, dark: {colorScheme: "dark"}, phone: {size: "phone"}, dark_phone: {colorScheme: "dark", size: "phone"},
})) {
  // Nothing is wider than the window, so a phone need not scroll sideways.
  const isInOrder = async (page, view) => {
    assert.deepEqual(await seriousFindings(page), [], view);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), view);
    await picture(page, `${name}_${view}`);
  };

  test(`axe-core finds nothing serious in any view: ${name}`, async () => {
    const page = await open(pageOf("made_up", madeUpRecords()), options);
    await isInOrder(page, "top");
    await page.locator("#deviations summary").click();
    await unfoldAll(page);
    await page.evaluate(() => document.getElementById("table").scrollIntoView());
    await isInOrder(page, "table");
    await page.evaluate(() => document.getElementById("about").scrollIntoView());
    await isInOrder(page, "about");
    await outcome(page, "variation").click();
    await isInOrder(page, "filtered");
    await page.locator("#reset").click();
    for (const [ending, hash] of Object.entries(ENDINGS_MADE_UP)) {
      await page.evaluate((to) => (location.hash = to), hash);
      await page.waitForSelector("dialog[open] .program[aria-busy=false]");
      await isInOrder(page, `cell_${ending}`);
    }
    await close(page);
  });

  test(`the program of a case is readable: ${name}`, async () => {
    conformance("--implementations=net_tcp", "--cases=listen.backlog.given", "--html=program.html");
    const page = await open(path.join(folder, "program.html"), {...options, hash: "#listen.backlog.given@net_tcp"});
    await page.locator("dialog .program summary").click();
    await page.locator("dialog .program pre").scrollIntoViewIfNeeded();
    await isInOrder(page, "program");
    await close(page);
  });
}

test("100,000 records are at most 20 MB, and open in less than 2 s", async () => {
  // Real cases, so that the page also holds their programs.
  const ids = JSON.parse(conformance("--list", "--format=json")).map((one) => one.case);
  const file = pageOf("many", manyRecords(100000, ids));
  const bytes = statSync(file).size;
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`);
  let session;
  const page = await open(file, {
    prepare: async (one) => {
      session = await one.context().newCDPSession(one);
      // Processor time of the page's thread: the time of day depends on what else the machine does.
      await session.send("Performance.enable", {timeDomain: "threadTicks"});
    },
  });
  const {metrics} = await session.send("Performance.getMetrics");
  const seconds = metrics.find(({name}) => name === "TaskDuration").value;
  console.log(`100,000 records: ${(bytes / 1e6).toFixed(1)} MB, ${seconds.toFixed(2)} s of processor time`);
  assert.ok(seconds < MOST_SECONDS, `${seconds} s`);
  assert.match(await page.locator("#shown").textContent(), /of 100,000 trials$/);
  await close(page);
});
