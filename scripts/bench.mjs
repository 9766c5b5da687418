// Builds the product and the benchmarks, then runs one: `npm run bench:sync` and the like. docs/benchmarks.md
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { build } from './build.mjs';

const ROOT = path.resolve(import.meta.dirname, '..');
const SOURCE = path.join('test', 'bench');

function compileBenchmarks() {
  const swc = createRequire(import.meta.url)('@swc/core');
  for (const name of fs.readdirSync(path.join(ROOT, SOURCE), { recursive: true })) {
    if (!name.endsWith('.ts')) continue;
    const output = path.join(ROOT, 'dist', SOURCE, name.replace(/\.ts$/, '.js'));
    fs.mkdirSync(path.dirname(output), { recursive: true });
    const { code } = swc.transformFileSync(path.join(ROOT, SOURCE, name), { cwd: ROOT, sourceMaps: 'inline' });
    fs.writeFileSync(output, code);
  }
}

const [name, ...args] = process.argv.slice(2);
const names = ['sync', 'api', 'latency', 'idle', 'streams', 'syncback', 'send', 'search', 'webhooks'];
if (!names.includes(name)) {
  console.error(`Usage: node scripts/bench.mjs ${names.join('|')} [options], or --help after the name`);
  process.exit(1);
}
build();
compileBenchmarks();
const program = path.join('dist', SOURCE, `${name}.js`);
const child = spawn(process.execPath, ['--enable-source-maps', program, ...args], { cwd: ROOT, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
child.on('exit', (code, signal) => process.exit(signal ? 1 : code));
