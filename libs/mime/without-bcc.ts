const CR = 13;
const LF = 10;

/**
 * A message without its Bcc fields, with all their folded lines (RFC 5322 2.2.3). Nothing but the header is looked at,
 * and nothing else of it is touched.
 */
export function withoutBcc(source: Buffer): Buffer {
  const kept: Buffer[] = [];
  let dropping = false;
  let at = 0;
  while (at < source.length) {
    const end = lineEnd(source, at);
    const line = source.subarray(at, end);
    if (isBlank(line)) break;
    const folded = line[0] === 0x20 || line[0] === 0x09;
    if (!folded) dropping = /^(resent-)?bcc[ \t]*:/i.test(line.subarray(0, 16).toString('latin1'));
    if (!dropping) kept.push(line);
    at = end;
  }
  return Buffer.concat([...kept, source.subarray(at)]);
}

function lineEnd(source: Buffer, from: number): number {
  const at = source.indexOf(LF, from);
  return at < 0 ? source.length : at + 1;
}

const isBlank = (line: Buffer): boolean => line.every((byte) => byte === CR || byte === LF);
