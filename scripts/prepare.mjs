// What every entry point needs before it can import anything of ours: a fitting Node, the dependencies, a build.
// Only syntax and modules that old versions of Node know too, so that they get as far as the sentence below.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Says a sentence about what is missing and ends the process. */
export function giveUp(sentence) {
  console.error(sentence);
  process.exit(1);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const fits =
    (major === 20 && minor >= 19) || (major === 22 && minor >= 13) || (major === 24 && minor >= 11) || major > 24;
  if (!fits) giveUp(`Postrider needs Node 20.19, 22.13, 24.11 or newer. This is Node ${process.versions.node}.`);
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(path.join(ROOT, file), 'utf8'));
  } catch {
    return null;
  }
}

/** Whether node_modules holds what the lock file asks for. Compared by content: file times say little after a checkout. */
function isInstalled() {
  const wanted = readJson('package-lock.json');
  const present = readJson('node_modules/.package-lock.json');
  if (!wanted || !present) return false;
  return Object.entries(wanted.packages).every(
    ([name, entry]) => name === '' || entry.optional || entry.peer || present.packages[name]?.version === entry.version,
  );
}

function install() {
  console.log('Installing dependencies, about a minute …');
  // npm's own file, when npm runs us; otherwise whatever npm is on PATH.
  const npm = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const args = [...npm.slice(1), 'ci', '--loglevel=error', '--no-fund', '--no-audit', '--no-progress'];
  const options = { cwd: ROOT, encoding: 'utf8', shell: process.platform === 'win32' && npm.length === 1 };
  const { status, error, stderr } = spawnSync(npm[0], args, options);
  if (status === 0) return;
  const words = error ? [error.message] : stderr.split('\n').filter((line) => /^npm error \S/.test(line));
  giveUp(`${words.slice(0, 5).join('\n')}\nInstalling dependencies failed. "npm ci" shows all of it.`);
}

/** Makes `dist` ready to be imported. Says one line per step that took work. */
export async function prepare({ quiet = false } = {}) {
  checkNode();
  if (!isInstalled()) install();
  const { build } = await import('./build.mjs');
  const count = build();
  if (count && !quiet) console.log(`Built ${count} file${count === 1 ? '' : 's'}`);
}
