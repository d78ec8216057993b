#!/usr/bin/env bash
# Expected: the validator of BIDS refuses events whose onset is a word, whose exposure is negative, whose answer is none of the levels in
# their sidecar, and one person twice in participants.tsv.
# What happens: bids-validator 1.15.0, the newest on npm, finds no error in any of these: of the cells it only asks whether they are empty.
# A missing column is an error. (Version 3.0.2, on PyPI as bids-validator-deno, refuses all of them.)
# Who meets it: whoever checks a study's answers by `npx bids-validator` before sharing them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-fund --no-audit bids-validator@1.15.0
node --input-type=module - <<'JAVASCRIPT'
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
const EXPECTED = { word: [], negative: [], "other answer": [], "one person twice": [], "no duration": ["EVENTS_COLUMN_DURATION"] };

console.log("bids-validator", JSON.parse(readFileSync("node_modules/bids-validator/package.json")).version);
const HEADER = "onset\tduration\ttrial_type\tresponse";
const PEOPLE = "participant_id\tage\nsub-P01\t30\n";
const levels = { real: "a photograph", fake: "a generated picture" };
const write = (file, text) => writeFileSync(`data/${file}`, text);
mkdirSync("data/sub-P01/beh", { recursive: true });
write("README", "A person judged whether pictures are photographs. ".repeat(5));
write("dataset_description.json", JSON.stringify({ Name: "faces", BIDSVersion: "1.10.0", Authors: ["A", "B"] }));
write("participants.json", JSON.stringify({ age: { Description: "age", Units: "year" } }));
write("task-faces_events.json", JSON.stringify({ trial_type: { Levels: levels }, response: { Levels: levels } }));

function errors(events, people = PEOPLE) {
  write("participants.tsv", people);
  write("sub-P01/beh/sub-P01_task-faces_events.tsv", `${events}\n`);
  const { stdout } = spawnSync("node_modules/.bin/bids-validator", ["data", "--json"], { encoding: "utf8" });
  return JSON.parse(stdout).issues.errors.map((issue) => issue.key);
}
const found = {
  word: errors(`${HEADER}\nlater\t0.5\treal\treal`),
  negative: errors(`${HEADER}\n0.0\t-0.5\treal\treal`),
  "other answer": errors(`${HEADER}\n0.0\t0.5\treal\tmaybe`),
  "one person twice": errors(`${HEADER}\n0.0\t0.5\treal\treal`, `${PEOPLE}sub-P01\t31\n`),
  "no duration": errors("onset\ttrial_type\tresponse\n0.0\treal\treal"),
};
for (const [name, keys] of Object.entries(found)) console.log(`${name}: ${keys.length ? keys : "no error"}`);
if (JSON.stringify(found) !== JSON.stringify(EXPECTED)) {
  console.error("changed: expected", EXPECTED);
  process.exit(1);
}
JAVASCRIPT
