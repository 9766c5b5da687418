import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { PackagesUnavailable, unpackPackages } from './packages.js';

describe('unpackPackages', () => {
  let dir: string;
  const before = process.env.XDG_CACHE_HOME;

  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'pr-'));
    process.env.XDG_CACHE_HOME = dir;
  });
  afterEach(async () => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
    await rm(dir, { recursive: true, force: true });
  });

  it('says so when its lock cannot be written', async () => {
    await expect(unpackPackages('n'.repeat(300), ['nothing'])).rejects.toThrow(PackagesUnavailable);
  });

  it('says so when its folder cannot be made', async () => {
    await writeFile(path.join(dir, 'postrider'), '');
    await expect(unpackPackages('redis', ['nothing'])).rejects.toThrow(PackagesUnavailable);
  });
});
