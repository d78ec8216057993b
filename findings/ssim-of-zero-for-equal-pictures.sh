#!/usr/bin/env bash
# Expected: SSIM of a picture with itself is 1 and falls as the pictures differ, in every version of one program.
# What happens: ImageMagick 7.1.2 returns a distance under the same name, (1 - SSIM) / 2: 0 for equal pictures, 0.12 where 7.1.1 gave 0.77.
# No option or name in the call has changed (package @imagemagick/magick-wasm, 0.0.35 and 0.0.43).
# Who meets it: whoever ranks pictures by ImageMagick's SSIM: after an update the best generator is the worst.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-fund --no-audit --prefix "$work/old" @imagemagick/magick-wasm@0.0.35
npm install --silent --no-fund --no-audit --prefix "$work/new" @imagemagick/magick-wasm@0.0.43
cat > "$work/measure.mjs" <<'JAVASCRIPT'
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

const root = `${process.argv[2]}/node_modules/@imagemagick/magick-wasm/dist`;
const magick = createRequire(import.meta.url)(`${root}/index.umd.cjs`);
const wasm = [`${root}/magick.wasm`, `${root}/x86/magick.wasm`].find(existsSync);
await magick.initializeImageMagick(readFileSync(wasm));
const SIDE = 96;
const wave = (x, y) => 127 + 60 * Math.sin(x / 9) + 50 * Math.cos((x + y) / 14);
const grain = (place) => (((place * 7919) % 31) - 15) * 0.8;
const picture = (noisy) => Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, place) => {
  const pixel = Math.floor(place / 3);
  return Math.round(wave(pixel % SIDE, Math.floor(pixel / SIDE)) + (noisy ? grain(place) : 0));
});
const settings = new magick.MagickReadSettings({ format: magick.MagickFormat.Rgb, width: SIDE, height: SIDE, depth: 8 });
const ssim = (a, b) => magick.ImageMagick.read(a, settings, (first) => magick.ImageMagick.read(b, settings,
  (second) => first.compare(second, magick.ErrorMetric.StructuralSimilarity)));
const [clean, noisy] = [picture(false), picture(true)];
console.log(magick.Magick.imageMagickVersion.match(/\d[\d.-]*/)[0], ssim(clean, clean).toFixed(4), ssim(noisy, clean).toFixed(4));
JAVASCRIPT
old=$(node "$work/measure.mjs" "$work/old")
new=$(node "$work/measure.mjs" "$work/new")
echo "ImageMagick, SSIM of equal pictures, SSIM of a noisy one"
printf '%s\n' "$old" "$new"
expected="1.0000 0.0000"
seen="$(cut -d' ' -f2 <<< "$old") $(cut -d' ' -f2 <<< "$new")"
[ "$seen" = "$expected" ] || { echo "changed: expected $expected for equal pictures, seen $seen"; exit 1; }
