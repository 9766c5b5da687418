import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, opendir, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';

import { type BlobRef, BlobStore } from './blob-store.js';

const KEY = /^[0-9a-f]{64}$/;
const DAY_MS = 86_400_000;
const ASKED_AT_A_TIME = 500;

/** Blobs as files, `ab/cd/abcd…`, written under a temporary name and renamed when they are complete and on disk. */
export class DiskBlobStore extends BlobStore {
  constructor(private readonly dir: string) {
    super();
  }

  async put(stream: NodeJS.ReadableStream): Promise<BlobRef> {
    const temporary = path.join(this.dir, 'incoming', randomUUID());
    await mkdir(path.dirname(temporary), { recursive: true, mode: 0o700 });
    const file = await open(temporary, 'wx', 0o600);
    try {
      const ref = await write(file, stream);
      await this.moveIntoPlace(temporary, ref.key);
      return ref;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async open(key: string): Promise<{ stream: Readable; size: number } | null> {
    const file = KEY.test(key) ? await openExisting(this.pathOf(key)) : null;
    if (!file) return null;
    const { size } = await file.stat();
    return { stream: file.createReadStream(), size };
  }

  async removeOlderThan(
    days: number,
    needed: (keys: readonly string[]) => Promise<ReadonlySet<string>>,
  ): Promise<number> {
    const before = Date.now() - days * DAY_MS;
    let removed = 0;
    let old: string[] = [];
    const remove = async () => {
      const kept = old.length > 0 ? await needed(old.map((name) => path.basename(name))) : new Set();
      for (const name of old) {
        // It may have been put again while others were asked about.
        if (kept.has(path.basename(name)) || !(await isOlder(name, before))) continue;
        await rm(name, { force: true });
        removed += 1;
      }
      old = [];
    };
    for await (const name of filesBelow(this.dir)) {
      if (await isOlder(name, before)) old.push(name);
      if (old.length >= ASKED_AT_A_TIME) await remove();
    }
    await remove();
    return removed;
  }

  private async moveIntoPlace(temporary: string, key: string): Promise<void> {
    const target = this.pathOf(key);
    await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
    // Over an equal blob too: its age starts anew.
    await rename(temporary, target);
    const now = new Date();
    await utimes(target, now, now);
    await syncFolder(path.dirname(target));
  }

  private pathOf(key: string): string {
    return path.join(this.dir, key.slice(0, 2), key.slice(2, 4), key);
  }
}

async function write(file: FileHandle, stream: NodeJS.ReadableStream): Promise<BlobRef> {
  try {
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of stream) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      hash.update(bytes);
      await file.writeFile(bytes);
      size += bytes.length;
    }
    await file.sync();
    return { key: hash.digest('hex'), size };
  } finally {
    await file.close();
  }
}

/** A rename is durable once its folder is. */
async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function isOlder(name: string, time: number): Promise<boolean> {
  const file = await stat(name).catch(ignoreMissing);
  return file !== null && file.mtimeMs <= time;
}

async function* filesBelow(dir: string): AsyncGenerator<string> {
  const folder = await opendir(dir).catch(ignoreMissing);
  if (!folder) return;
  for await (const entry of folder) {
    const name = path.join(dir, entry.name);
    if (entry.isDirectory()) yield* filesBelow(name);
    else yield name;
  }
}

async function openExisting(name: string): Promise<FileHandle | null> {
  return open(name, 'r').catch(ignoreMissing);
}

function ignoreMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
