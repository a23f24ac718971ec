"use strict";

// Returns a value that is embedded in the page: base64 of gzip of JSON.
async function readEmbedded(id) {
  const binary = atob(document.getElementById(id).textContent.trim());
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; ++i) bytes[i] = binary.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

// Reads the records, which EmbeddedJson() in page.cc describes. Returns {page, environment, records}.
async function readRecords() {
  const {page, environment, fields, values, records} = await readEmbedded("records");
  const toRecord = (indices) => {
    const record = {};
    for (let i = 0; i < fields.length; ++i) record[fields[i]] = values[indices[i]];
    return record;
  };
  return {page, environment, records: records.map(toRecord)};
}

let programs;

// Returns the C program of a case as {text}, or the reason why there is none as {reason}. They are read when the first is
// wanted.
async function programOf(id) {
  programs ??= readEmbedded("programs");
  const read = await programs;
  return Object.hasOwn(read.programs, id) ? {text: read.programs[id]} : {reason: read.reasons[id]};
}

const CRC_TABLE = Array.from({length: 256}, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; ++bit) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

function crc32(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = CRC_TABLE[(sum ^ byte) & 0xff] ^ (sum >>> 8);
  return ((sum ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0");
}

function compareBytes(one, other) {
  const size = Math.min(one.length, other.length);
  for (let i = 0; i < size; ++i) {
    if (one[i] !== other[i]) return one[i] - other[i];
  }
  return one.length - other.length;
}

// The hash of the case list, of lines as in CaseListOf() in case_list.cc.
function hashOfLines(lines) {
  const encoder = new TextEncoder();
  // Sorted by bytes: the order of strings in JavaScript is that of UTF-16.
  const sorted = lines.map((line) => encoder.encode(line)).sort(compareBytes);
  const all = new Uint8Array(sorted.reduce((size, line) => size + line.length, 0));
  let end = 0;
  for (const line of sorted) {
    all.set(line, end);
    end += line.length;
  }
  return crc32(all);
}
