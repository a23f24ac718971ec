// Makes elements. Text of records becomes text nodes and attributes only, never markup.

// h("td", {class: "cell", onclick: f}, "text", element): an element with attributes, listeners and children.
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

// Strokes on a grid of 16 x 16, one shape for each ending: colour is never the only difference.
const GLYPHS = {
  "pass": "M3.5 8.5l3 3 6-7",
  "variation": "M2.5 9.5c1.8-3.4 3.6-3.4 5.5-1.5s3.7 1.9 5.5-1.5",
  "fail": "M4 4l8 8M12 4l-8 8",
  "crash": "M9 1.5L4 9h4l-1 5.5L12 7H8z",
  "timeout": "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 5v3.2l2.2 1.6",
  "harness-error": "M8 2l6.5 11.5h-13zM8 6.5v3.2M8 11.6v.2",
  "unexpected-pass": "M2 8.5l2.6 2.8L10 4.5M13 3.5v6M13 12v.3",
  "leak": "M8 2c3 3.6 4.2 5.5 4.2 7.5a4.2 4.2 0 0 1-8.4 0C3.8 7.5 5 5.6 8 2zM6 6l4.5 6",
  "unexpected-no-leak": "M8 2c3 3.6 4.2 5.5 4.2 7.5a4.2 4.2 0 0 1-8.4 0C3.8 7.5 5 5.6 8 2zM2 14L14 3",
  "expected-fail": "M8 2.5l6 6-6 6-6-6zM5.8 6.3l4.4 4.4M10.2 6.3l-4.4 4.4",
  "expected-leak": "M8 2c3 3.6 4.2 5.5 4.2 7.5a4.2 4.2 0 0 1-8.4 0C3.8 7.5 5 5.6 8 2z",
  "unsupported": "M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3M5 8h6",
  "precondition": "M4 8h.2M8 8h.2M12 8h.2",
};

function glyph(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "glyph");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", GLYPHS[name] ?? GLYPHS["harness-error"]);
  svg.append(path);
  return svg;
}

// The sign of one trial: the glyph of its worst ending, and for a variation the letter of its kind in its hue.
function sign(record, row) {
  const ending = worstEnding(record);
  const element = h("span", {class: `sign ${ending.kind}`}, glyph(ending.name));
  if (record.outcome === "variation") {
    element.style.setProperty("--hue", hueOf(record.message));
    element.append(h("b", {}, letterOf(row, record.message)));
  }
  return element;
}

function letterOf(row, kind) {
  const index = row.kinds.indexOf(kind);
  return index < 26 ? String.fromCharCode(65 + index) : String(index);
}

// "pass", "variation another_default", "expected-fail, expected-leak".
function endingText(record) {
  const outcome = record.outcome === "variation" ? `variation ${record.message}` : record.outcome;
  return record.leak ? `${outcome}, ${record.leak}` : outcome;
}

const FAMILIES = {v4: "IPv4", v6: "IPv6"};

function familyName(axis) {
  return FAMILIES[axis] ?? axis;
}

// The endings of a cell, once for each family only if they differ: [["", record]] or [["v4", record], ...].
function distinctTrials(cell) {
  const texts = new Set(cell.trials.map(endingText));
  return texts.size === 1 ? [["", cell.trials[0]]] : cell.trials.map((one) => [one.axis, one]);
}

function endingsText(cell) {
  return distinctTrials(cell).map(([axis, one]) => (axis ? `${familyName(axis)} ` : "") + endingText(one)).join("; ");
}

// Made once, because making one takes longer than formatting a number.
const NUMBER_FORMAT = new Intl.NumberFormat("en-US");

function number(value) {
  return NUMBER_FORMAT.format(value);
}

function count(value, noun) {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

// A name that may break after "_" and ".".
function breakable(name) {
  return name.split(/(?<=[._])/).flatMap((part, i) => (i ? [document.createElement("wbr"), part] : [part]));
}

function firstLine(text) {
  return (text ?? "").split("\n", 1)[0];
}

// The values of GoogleTest's first failure; null for what it does not print.
function expectedAndActual(findings) {
  const line = (pattern) => findings.match(pattern)?.[1].trim() ?? null;
  const both = findings.match(/Expected: (\(.*\).*), actual: (.*)$/m);
  if (both) return {expected: both[1], actual: both[2]};
  const equal = findings.match(/Expected equality of these values:\n((?: +.*\n?)+)/);
  if (equal) return {expected: "equal values", actual: equal[1].trimEnd()};
  return {expected: line(/^\s*Expected: (.*)$/m), actual: line(/^\s*Actual: (.*)$/m)};
}

// Shows the first `most` of the items, and a button for as many more.
function showInParts(parent, items, make, most = 100) {
  let shown = 0;
  const more = h("button", {type: "button", class: "plain more", onclick: () => add()});
  const add = () => {
    const end = Math.min(items.length, shown + most);
    const elements = items.slice(shown, end).map(make);
    more.remove();
    parent.append(...elements);
    const first = shown;
    shown = end;
    if (shown < items.length) {
      more.textContent = `Show ${number(Math.min(most, items.length - shown))} more of ${number(items.length)}`;
      parent.append(more);
    }
    if (first > 0) elements[0].querySelector("a, button")?.focus();
  };
  add();
}
