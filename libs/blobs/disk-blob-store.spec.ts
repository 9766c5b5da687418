import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import { DiskBlobStore } from './disk-blob-store.js';

const nobody = async () => new Set<string>();

describe('DiskBlobStore', () => {
  let dir: string;
  let store: DiskBlobStore;
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'postrider-blobs-'));
    store = new DiskBlobStore(dir);
  });
  afterEach(() => rm(dir, { recursive: true }));

  const files = async () =>
    (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const read = async (key: string) => {
    const blob = await store.open(key);
    return blob && { size: blob.size, bytes: await buffer(blob.stream) };
  };

  it('gives back what was put, by the hash of its bytes', async () => {
    const bytes = randomBytes(300_000);
    const { key, size } = await store.put(Readable.from([bytes.subarray(0, 100_001), bytes.subarray(100_001)]));
    expect({ key, size }).toEqual({ key: createHash('sha256').update(bytes).digest('hex'), size: 300_000 });
    expect(await read(key)).toEqual({ size: 300_000, bytes });
    expect(await readFile(path.join(dir, key.slice(0, 2), key.slice(2, 4), key))).toEqual(bytes);
  });

  it('keeps equal bytes once, and an empty blob too', async () => {
    await Promise.all([1, 2, 3].map(() => store.put(Readable.from([Buffer.from('same')]))));
    expect(await files()).toHaveLength(1);
    const empty = await store.put(Readable.from([]));
    expect(await read(empty.key)).toEqual({ size: 0, bytes: Buffer.alloc(0) });
  });

  it('leaves nothing behind when the stream fails', async () => {
    const failing = Readable.from(
      (async function* () {
        yield Buffer.from('half');
        throw new Error('the server hung up');
      })(),
    );
    await expect(store.put(failing)).rejects.toThrow('the server hung up');
    expect(await files()).toHaveLength(0);
  });

  it.each(['0'.repeat(64), '../../etc/passwd', ''])('knows no blob %j', async (key) => {
    expect(await store.open(key)).toBeNull();
  });

  it('removes what is old, and what is put again starts anew', async () => {
    const [old, renewed] = [await store.put(Readable.from(['old'])), await store.put(Readable.from(['renewed']))];
    const weekAgo = new Date(Date.now() - 7 * 86_400_000);
    for (const { key } of [old, renewed]) {
      await utimes(path.join(dir, key.slice(0, 2), key.slice(2, 4), key), weekAgo, weekAgo);
    }
    await store.put(Readable.from(['renewed']));
    expect(await store.removeOlderThan(6, async () => new Set([old.key]))).toBe(0);
    expect(await store.removeOlderThan(6, nobody)).toBe(1);
    expect(await read(old.key)).toBeNull();
    expect((await read(renewed.key))?.size).toBe(7);
  });

  it('asks for many at a time, and spares what is put again meanwhile', async () => {
    const keys: string[] = [];
    const long = new Date(0);
    for (let n = 0; n < 501; n += 1) {
      const { key } = await store.put(Readable.from([`blob ${n}`]));
      await utimes(path.join(dir, key.slice(0, 2), key.slice(2, 4), key), long, long);
      keys.push(key);
    }
    const asked: string[][] = [];
    const removed = await store.removeOlderThan(7, async (portion) => {
      asked.push([...portion]);
      await store.put(Readable.from(['blob 7']));
      return new Set([keys[3]!]);
    });
    expect(asked.map(({ length }) => length)).toEqual([500, 1]);
    expect(asked.flat().toSorted()).toEqual(keys.toSorted());
    expect(removed).toBe(499);
    expect([await read(keys[3]!), await read(keys[7]!)]).not.toContain(null);
  });

  it('sweeps a folder that does not exist yet', async () => {
    expect(await new DiskBlobStore(path.join(dir, 'none')).removeOlderThan(1, nobody)).toBe(0);
  });
});
