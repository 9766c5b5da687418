import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { seedSettings } from './api/seed.js';
import { migrate, startDatabase } from './product.js';

interface Size {
  readonly messages: number;
  readonly accounts: number;
}

/** Fills a database in this folder, unless that was done before. */
export async function seedOnce<S extends Size>(
  dir: string,
  size: S,
  fill: (url: string, size: S, say: (line: string) => void) => Promise<unknown>,
): Promise<void> {
  const done = path.join(dir, 'seeded');
  if (existsSync(done)) return;
  rmSync(path.join(dir, 'postgres'), { recursive: true, force: true });
  console.log(`Seeding ${size.messages} messages over ${size.accounts} accounts`);
  const postgres = await startDatabase(dir, seedSettings);
  try {
    await migrate(postgres.url);
    await fill(postgres.url, size, (line) => console.log(line));
  } finally {
    await postgres.stop();
  }
  writeFileSync(done, '');
}
