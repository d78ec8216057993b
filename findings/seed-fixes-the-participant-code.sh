#!/usr/bin/env bash
# Expected: a seed for the order of pictures fixes that order; participants still get codes of their own.
# What happens: randomization.setSeed of jsPsych 8.3.0 replaces Math.random for the whole page, so that randomID, which studies use for the
# participant's code, returns the same code in every session, and so does every other library on the page that draws a number.
# Who meets it: whoever shows all participants one seeded order in a browser study: their files overwrite each other or are taken for one person.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-fund --no-audit --prefix "$work" jspsych@8.3.0 jsdom@29.1.1
cd "$work"
node - <<'JAVASCRIPT'
const { JSDOM } = require("jsdom");
const EXPECTED_CODES = 1;

function session(seed) {
  const page = new JSDOM("<!doctype html><body></body>");
  globalThis.window = page.window;
  globalThis.document = page.window.document;
  delete require.cache[require.resolve("jspsych")];
  const { randomization, version } = require("jspsych").initJsPsych();
  if (seed) randomization.setSeed(seed);
  return { code: randomization.randomID(8), other: Math.random().toFixed(6), order: randomization.shuffle([1, 2, 3, 4]).join(), version };
}

const free = [session(), session(), session()];
const seeded = [session("street study"), session("street study"), session("street study")];
console.log("jsPsych", seeded[0].version ? seeded[0].version() : require("jspsych/package.json").version);
console.log("without a seed:", free.map(({ code, order }) => `${code} (order ${order})`).join("; "));
console.log("with one seed: ", seeded.map(({ code, order }) => `${code} (order ${order})`).join("; "));
console.log("Math.random in the three seeded sessions:", seeded.map(({ other }) => other).join(" "));
const codes = new Set(seeded.map(({ code }) => code)).size;
if (codes !== EXPECTED_CODES) console.log(`changed: expected ${EXPECTED_CODES} code, seen ${codes}`);
process.exit(codes === EXPECTED_CODES ? 0 : 1);
JAVASCRIPT
