#!/usr/bin/env bash
# Expected: a prior is made once, and each person or set of pictures starts from it.
# What happens: jsQuestPlus 2.1.0 writes its posterior into the prior that it was given. A second QUEST+ made with that prior starts
# from the first one's posterior: after 40 correct answers of one person the next person's first exposure is 100 ms in place of
# 400 ms, and a threshold of 50 ± 3 ms is known before the first answer. A prior made anew is right.
# Who meets it: whoever shows two models' pictures in blocks of one browser study, with adaptive exposures and a common prior.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# The file it serves to browsers is complete; the source's only requirement would come from a repository, so it is replaced.
echo '{"overrides": {"numeric_es6": "npm:numeric@1.2.6"}}' >package.json
npm install --silent --no-fund --no-audit jsquest-plus@2.1.0
node --input-type=module - <<'JAVASCRIPT'
import { readFileSync } from "node:fs";
const EXPECTED = { first: [400, 525], second: [100, 50], alone: [400, 525] };

console.log("jsquest-plus", JSON.parse(readFileSync("node_modules/jsquest-plus/package.json")).version);
const { default: QuestPlus } = await import(`${process.cwd()}/node_modules/jsquest-plus/dist/jsQuestPlus.module.js`);
const exposures = Array.from({ length: 20 }, (_, place) => 50 * (place + 1));
const slopes = [1, 2, 4];
const correct = (exposure, threshold, slope) => 0.5 + 0.48 * (1 - Math.exp(-((exposure / threshold) ** slope)));
const wrong = (...values) => 1 - correct(...values);
const uniform = () => QuestPlus.set_prior([exposures.length, slopes.length]);
const start = (priors) => new QuestPlus({ psych_func: [wrong, correct], stim_samples: [exposures], psych_samples: [exposures, slopes], priors });

const found = {};
function show(name, quest) {
  found[name] = [quest.getStimParams(), Math.round(quest.getEstimates("mean", false)[0])];
  console.log(`${name}: first exposure ${found[name][0]} ms, threshold before any answer ${found[name][1]} ± ${Math.round(quest.getSDs()[0])} ms`);
}
const common = uniform();
const first = start(common);
show("first", first);
for (let trial = 0; trial < 40; trial++) first.update(first.getStimParams(), 1);
show("second", start(common));
show("alone", start(uniform()));
if (JSON.stringify(found) !== JSON.stringify(EXPECTED)) {
  console.error("changed: expected", EXPECTED, "found", found);
  process.exit(1);
}
JAVASCRIPT
