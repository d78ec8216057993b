// The programs in JavaScript of benchmarks/differences.py: node javascript.mjs FOLDER PAIRS SIDE
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, pairs, side] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const require = createRequire(join(folder, "package.json"));
const { ssim } = require("ssim.js");
const imageSsim = require("image-ssim");
const magick = require("@imagemagick/magick-wasm");
await magick.initializeImageMagick(readFileSync(require.resolve("@imagemagick/magick-wasm/magick.wasm")));

const read = (name) => ({ data: new Uint8ClampedArray(readFileSync(join(folder, name))), width: side, height: side, channels: 4 });
const settings = new magick.MagickReadSettings({ format: magick.MagickFormat.Rgb, width: side, height: side, depth: 8 });

function magickCompare(fake, real, metric) {
  const bytes = ({ data }) => Uint8Array.from(data.filter((_, place) => place % 4 < 3));
  const open = (picture, use) => magick.ImageMagick.read(bytes(picture), settings, use);
  return open(real, (reference) => open(fake, (image) => image.compare(reference, metric)));
}

const values = { "ssim.js": [], "ssim.js fast": [], "image-ssim": [], "ImageMagick SSIM": [], "ImageMagick DSSIM": [] };
for (let number = 0; number < pairs; number += 1) {
  const [fake, real] = [read(`fake${number}.rgba`), read(`real${number}.rgba`)];
  values["ssim.js"].push(ssim(fake, real).mssim);
  values["ssim.js fast"].push(ssim(fake, real, { ssim: "fast" }).mssim);
  values["image-ssim"].push(imageSsim.compare(fake, real).ssim);
  values["ImageMagick SSIM"].push(magickCompare(fake, real, magick.ErrorMetric.StructuralSimilarity));
  values["ImageMagick DSSIM"].push(magickCompare(fake, real, magick.ErrorMetric.StructuralDissimilarity));
}
console.log(JSON.stringify({ ...values, ImageMagick: magick.Magick.imageMagickVersion.match(/\d[\d.-]*/)[0] }));
