// Starts the browser for the tests of the page, makes pages of records, and reads them. Environment variables:
//
//   CONFORMANCE   the program //conformance
//   SCREENSHOTS   a folder for pictures of the page; none are made if it is empty

import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import path from "node:path";
import {after, before} from "node:test";
import {chromium} from "playwright-core";
import {toLines} from "./made_up_records.mjs";

const axeSource = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

export let folder;
export let browser;

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "page-"));
  browser = await chromium.launch({executablePath: "/usr/bin/chromium"});
});

after(async () => {
  await browser?.close();
  rmSync(folder, {recursive: true});
});

export function conformance(...flags) {
  return execFileSync(process.env.CONFORMANCE, flags, {cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"]});
}

// Makes a page of these records, and returns its path.
export function pageOf(name, records) {
  writeFileSync(path.join(folder, `${name}.jsonl`), toLines(records));
  conformance(`--from-records=${name}.jsonl`, `--html=${name}.html`);
  return path.join(folder, `${name}.html`);
}

const SIZES = {desktop: {width: 1440, height: 1000}, phone: {width: 390, height: 844}};

// Opens a page. Whatever it logs or loads, and each exception, is in `page.complaints`.
export async function open(file, {hash = "", size = "desktop", colorScheme = "light", prepare} = {}) {
  const context = await browser.newContext({viewport: SIZES[size], colorScheme, hasTouch: size === "phone"});
  const page = await context.newPage();
  page.complaints = [];
  page.on("console", (message) => page.complaints.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("request", (request) => {
    if (request.url().split("#")[0] !== `file://${file}`) page.complaints.push(`loads ${request.url()}`);
  });
  await prepare?.(page);
  await page.goto(`file://${file}${hash}`);
  await page.waitForSelector("html[data-ready]");
  return page;
}

export async function close(page) {
  assert.deepEqual(page.complaints, []);
  assert.equal(await page.evaluate(() => window.attacked), undefined);
  await page.context().close();
}

export const numberIn = (text) => Number(text.replaceAll(",", ""));

export function outcome(page, name) {
  return page.locator(`#outcomes [data-outcome="${name}"]`);
}

export function cell(page, id, implementation) {
  return page.locator(`a.cell[href="#${encodeURIComponent(id)}@${encodeURIComponent(implementation)}"]`);
}

export function unfold(page, subject) {
  return page.locator(`button.unfold[data-subject=${JSON.stringify(subject)}]`);
}

// Clicks each element of a locator that no longer matches an element which was clicked.
export async function clickAll(locator) {
  while (await locator.count() > 0) await locator.first().click();
}

export function unfoldAll(page) {
  return clickAll(page.locator('button.unfold[aria-expanded="false"]'));
}

// Closes the dialog, and waits until the page has put back the focus.
export async function escape(page) {
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => location.hash === "");
}

export function texts(locator) {
  return locator.evaluateAll((all) => all.map((one) => one.textContent));
}

export function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    return (element.querySelector(".hidden") ?? element).textContent;
  });
}

// Returns the findings of axe-core that are serious or critical.
export async function seriousFindings(page) {
  await page.evaluate(axeSource);
  const {violations} = await page.evaluate(() => window.axe.run());
  return violations.filter(({impact}) => ["serious", "critical"].includes(impact)).map(({id, nodes}) =>
    `${id}: ${nodes.slice(0, 3).map((node) => `${node.html} ${node.failureSummary}`).join("\n")}`);
}

// Puts a picture of the window into the folder of SCREENSHOTS.
export async function picture(page, name) {
  if (process.env.SCREENSHOTS) await page.screenshot({path: path.join(process.env.SCREENSHOTS, `${name}.png`)});
}
