const END = Buffer.from('\r\n\r\n');

export interface SplitMessage {
  /** With the empty line that ends it, if there is one. */
  readonly header: Buffer;
  /** Ends the reading of the message when it is not read to its end. */
  readonly rest: AsyncGenerator<Buffer>;
}

/** Parts a message whose lines end in CRLF behind its header. Null when that is longer than `most` bytes. */
export async function splitHeader(message: AsyncIterable<Buffer>, most = Infinity): Promise<SplitMessage | null> {
  const chunks = message[Symbol.asyncIterator]();
  let read: Buffer = Buffer.alloc(0);
  let end = -1;
  while (end < 0 && read.length <= most) {
    const { done, value } = await chunks.next();
    if (done) end = read.length;
    else {
      const from = Math.max(0, read.length - END.length);
      read = Buffer.concat([read, value]);
      end = headerEnd(read, from);
    }
  }
  const rest = following(read.subarray(end), chunks);
  if (end >= 0 && end <= most) return { header: read.subarray(0, end), rest };
  await rest.return(undefined);
  return null;
}

function headerEnd(read: Buffer, from: number): number {
  if (read[0] === END[0] && read[1] === END[1]) return 2;
  const at = read.indexOf(END, from);
  return at < 0 ? -1 : at + END.length;
}

async function* following(first: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    if (first.length > 0) yield first;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  } finally {
    await chunks.return?.();
  }
}
