// Compiles `apps`, `libs` and `migrations` into `dist` with swc. Only what changed is compiled, and output without a
// source is removed, so this is cheap enough to run before every start. docs/adr/0005-build-with-swc.md
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(import.meta.dirname, '..');
const SOURCES = ['apps', 'libs', 'migrations'];
const DIST = path.join(ROOT, 'dist');
const STAMP = path.join(DIST, '.build.json');

/** Source files worth having in `dist`, relative to the root. Tests and type declarations are not. */
function sourceFiles() {
  const files = SOURCES.flatMap((folder) =>
    fs
      .readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name))),
  );
  return files.filter((file) => !/(\.spec\.ts|\.d\.ts|\.md)$/.test(file)).toSorted((a, b) => (a < b ? -1 : 1));
}

const outputOf = (file) => path.join(DIST, file.replace(/\.ts$/, '.js'));

/** Readers never see half a file, and two builds at a time do each other no harm. */
function write(file, content) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(draft, content);
  fs.renameSync(draft, file);
}

function compile(swc, file) {
  const output = outputOf(file);
  if (!file.endsWith('.ts')) return write(output, fs.readFileSync(path.join(ROOT, file)));
  const { code, map } = swc.transformFileSync(path.join(ROOT, file), { cwd: ROOT, sourceMaps: true });
  if (map) write(`${output}.map`, map);
  write(output, map ? `${code}\n//# sourceMappingURL=${path.basename(output)}.map\n` : code);
}

function removeStale(files) {
  const wanted = new Set(files.flatMap((file) => [outputOf(file), `${outputOf(file)}.map`]));
  for (const folder of SOURCES) {
    const at = path.join(DIST, folder);
    if (!fs.existsSync(at)) continue;
    for (const entry of fs.readdirSync(at, { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name);
      if (entry.isFile() && !wanted.has(file) && !file.endsWith('.tmp')) fs.rmSync(file, { force: true });
    }
  }
}

function readStamp() {
  try {
    return JSON.parse(fs.readFileSync(STAMP, 'utf8'));
  } catch {
    return null;
  }
}

/** Brings `dist` up to date. Returns how many files were compiled. */
export function build() {
  const require = createRequire(import.meta.url);
  const compiler = createHash('sha256')
    .update(fs.readFileSync(path.join(ROOT, '.swcrc')))
    .update(fs.readFileSync(path.join(ROOT, 'node_modules', '@swc', 'core', 'package.json')))
    .update(fs.readFileSync(fileURLToPath(import.meta.url)))
    .digest('hex');
  const stamp = readStamp();
  const known = stamp?.compiler === compiler ? stamp.files : {};
  const files = sourceFiles();
  const now = Object.fromEntries(
    files.map((file) => {
      const { mtimeMs, size } = fs.statSync(path.join(ROOT, file));
      return [file, `${mtimeMs}:${size}`];
    }),
  );
  const changed = files.filter((file) => known[file] !== now[file] || !fs.existsSync(outputOf(file)));
  if (changed.length) {
    const swc = require('@swc/core');
    for (const file of changed) compile(swc, file);
  }
  removeStale(files);
  write(STAMP, JSON.stringify({ compiler, files: now }));
  return changed.length;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const started = performance.now();
  const count = build();
  console.log(`Built ${count} file${count === 1 ? '' : 's'} in ${Math.round(performance.now() - started)} ms`);
}
