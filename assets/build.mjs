// Builds static/dist: node assets/build.mjs
//
// Every bundle is named by its content ([name]-[hash]), so that browsers may keep it for ever; manifest.json maps
// "app.css" to that name for webapp/foundation/assets.py. Beside each file lie .gz and .br copies for WhiteNoise.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { PurgeCSS } from "purgecss";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "static/dist");

// Set by scripts or by the reader's theme, not always spelled out in a template.
const safelist = ["data-bs-theme", "dark", "light", "show", "active", "disabled", "collapsing"];
// Tabler colours it with color-mix(), which Chromium 109 does not know; the browser's own colour stays.
const selectionRule = /::(-moz-)?selection\{[^}]*\}/g;

/** An esbuild plugin that drops the rules of Tabler's style sheet which nothing in `content` can use. */
function purgeTabler(content) {
  return {
    name: "purge-tabler",
    setup(bundler) {
      bundler.onLoad({ filter: /tabler\.min\.css$/ }, async ({ path }) => {
        const css = [{ raw: await readFile(path, "utf8") }];
        const [purged] = await new PurgeCSS().purge({ content, css, safelist });
        return { contents: purged.css.replace(selectionRule, ""), loader: "css" };
      });
    },
  };
}

/** Bundles the entry points into static/dist and returns esbuild's account of what went in and came out. */
async function bundle(entryPoints, plugins = []) {
  const result = await build({
    absWorkingDir: root,
    entryPoints,
    entryNames: "[name]-[hash]",
    outdir: dist,
    bundle: true,
    minify: true,
    format: "iife",
    // The last Chromium on Windows 7, which many office browsers are still built on.
    target: "chrome109",
    charset: "utf8",
    legalComments: "linked",
    metafile: true,
    logLevel: "warning",
    plugins,
  });
  return result.metafile;
}

/** The licence and notice texts of every npm package of which something is in the bundles. */
function licences(inputs) {
  const packages = new Set(inputs.map((path) => /^node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0]).filter(Boolean));
  return [...packages].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const texts = readdirSync(join(root, folder)).filter((file) => /^(licen[cs]e|notice)(\.(md|txt))?$/i.test(file));
    return [`${name} ${version} (${license})`, ...texts.map((file) => readFileSync(join(root, folder, file), "utf8"))];
  }).flat().join("\n\n");
}

/** What the last build made; nothing before the first. */
function readManifest() {
  const path = join(dist, "manifest.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
}

/** Writes the compressed copies of one file and returns its sizes: [raw, gzip, Brotli]. */
function compress(file) {
  const raw = readFileSync(join(dist, file));
  const gzip = gzipSync(raw, { level: 9 });
  const brotli = brotliCompressSync(raw, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: raw.length } });
  writeFileSync(join(dist, `${file}.gz`), gzip);
  writeFileSync(join(dist, `${file}.br`), brotli);
  return [raw.length, gzip.length, brotli.length];
}

// A product that serves while its clone is built anew goes on with the files it knows: the last build's stay.
const known = readManifest();
const scripts = await bundle(["assets/app.js", "assets/charts.js", "assets/desk.js", "assets/reveal.js"]);
// What app.js imports may switch classes on by itself; ECharts draws SVG without any of ours.
const imported = Object.keys(scripts.inputs).filter((path) => !/node_modules\/(echarts|zrender)\//.test(path));
const content = ["templates/**/*.{html,txt}", "webapp/**/*.py", ...imported].map((path) => join(root, path));
const styles = await bundle(["assets/app.css"], [purgeTabler(content)]);

writeFileSync(join(dist, "licences.txt"), licences([...Object.keys(scripts.inputs), ...Object.keys(styles.inputs)]));
const manifest = {};
console.log("bundle".padEnd(12) + ["raw", "gzip", "brotli"].map((name) => name.padStart(9)).join(""));
for (const [path, { entryPoint }] of Object.entries({ ...scripts.outputs, ...styles.outputs })) {
  if (!entryPoint) continue;
  const name = basename(entryPoint);
  manifest[name] = basename(path);
  const sizes = compress(manifest[name]).map((bytes) => `${(bytes / 1000).toFixed(1)} kB`.padStart(9));
  console.log(name.padEnd(12) + sizes.join(""));
}
const kept = [...Object.values(manifest), ...Object.values(known), "manifest.json", "licences.txt"];
for (const file of readdirSync(dist)) {
  if (!kept.some((name) => file === name || file.startsWith(`${name}.`))) rmSync(join(dist, file), { recursive: true });
}
writeFileSync(join(dist, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
