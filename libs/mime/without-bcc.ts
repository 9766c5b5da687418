const CR = 13;
const LF = 10;
const COLON = 0x3a;

/**
 * A message without its Bcc fields, with all their folded lines (RFC 5322 2.2.3). Nothing but the header is looked at,
 * and nothing else of it is touched. Lines must end in CRLF or LF.
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
    if (!folded) dropping = isBcc(line);
    if (!dropping) kept.push(line);
    at = end;
  }
  return Buffer.concat([...kept, source.subarray(at)]);
}

/** White space may stand before the colon (RFC 5322 4.5), and be long. */
function isBcc(line: Buffer): boolean {
  const name = line
    .subarray(0, Math.max(line.indexOf(COLON), 0))
    .toString('latin1')
    .trim()
    .toLowerCase();
  return name === 'bcc' || name === 'resent-bcc';
}

function lineEnd(source: Buffer, from: number): number {
  const at = source.indexOf(LF, from);
  return at < 0 ? source.length : at + 1;
}

const isBlank = (line: Buffer): boolean => line.every((byte) => byte === CR || byte === LF);
