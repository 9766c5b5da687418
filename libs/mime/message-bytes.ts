import { Readable } from 'node:stream';

const CHUNK = 65_536;

/** A message as it goes over the wire, read as often as need be: it need not be in memory. */
export interface MessageBytes {
  readonly size: number;
  /** Whoever reads it reads it to its end, or destroys it. */
  readonly open: () => Readable;
}

export function heldBytes(source: Buffer): MessageBytes {
  return { size: source.length, open: () => Readable.from(slices(source), { objectMode: false }) };
}

/** Reads it once, for its size. @param open must give the same number of bytes each time */
export async function measuredBytes(open: () => Readable): Promise<MessageBytes> {
  let size = 0;
  for await (const chunk of open()) size += (chunk as Buffer).length;
  return { size, open };
}

/** All of it in memory, once. @throws Error when it is longer or shorter than it says */
export async function allBytes({ size, open }: MessageBytes): Promise<Buffer> {
  const all = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for await (const chunk of open()) at += (chunk as Buffer).copy(all, at);
  if (at !== size) throw new Error(`a message of ${size} bytes had ${at}`);
  return all;
}

/** A stream that is opened when somebody reads it. */
export function lazily(open: () => Promise<Readable>): Readable {
  const chunks = async function* () {
    yield* await open();
  };
  return Readable.from(chunks(), { objectMode: false });
}

function* slices(source: Buffer): Generator<Buffer> {
  for (let at = 0; at < source.length; at += CHUNK) yield source.subarray(at, at + CHUNK);
}
