const TEXT = 25;
const JSON_TYPE = 114;
const HEADER_BYTES = 20;

/**
 * Parameter for a `text[]` in PostgreSQL's binary form (array_recv): nothing is escaped here and nothing parsed
 * there, which for bodies is most of what an insert costs.
 */
export function textArray(texts: readonly (string | null)[]): Buffer {
  return encode(TEXT, texts);
}

/** The same for a `json[]`, of JSON texts. */
export function jsonArray(texts: readonly (string | null)[]): Buffer {
  return encode(JSON_TYPE, texts);
}

function encode(elementType: number, texts: readonly (string | null)[]): Buffer {
  let size = HEADER_BYTES;
  for (const text of texts) size += 4 + (text === null ? 0 : Buffer.byteLength(text));
  const bytes = Buffer.allocUnsafe(size);
  bytes.writeInt32BE(texts.length === 0 ? 0 : 1, 0); // dimensions
  bytes.writeInt32BE(texts.includes(null) ? 1 : 0, 4);
  bytes.writeInt32BE(elementType, 8);
  bytes.writeInt32BE(texts.length, 12);
  bytes.writeInt32BE(1, 16); // lower bound
  let at = HEADER_BYTES;
  for (const text of texts) {
    const length = text === null ? -1 : bytes.write(text, at + 4);
    bytes.writeInt32BE(length, at);
    at += 4 + Math.max(length, 0);
  }
  return texts.length === 0 ? bytes.subarray(0, 12) : bytes;
}
