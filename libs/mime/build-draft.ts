import { buffer } from 'node:stream/consumers';

import { buildMessage, type BuiltMessage, type OutgoingMessage } from './build-message.js';
import { contentDigest, type DraftKey, printOf, sealOf } from './draft-print.js';
import { parseWhole } from './parse-message.js';

/**
 * The copy of a draft for the provider's folder of drafts. Its header has a seal of what is in it, as it will be read: so
 * we know when we read it whether another mail program changed it. For that it is built before, without its files' bytes.
 */
export async function buildDraft(message: OutgoingMessage, key: DraftKey): Promise<BuiltMessage> {
  const empty = message.files.map((file) => ({ ...file, size: 0, content: () => Buffer.alloc(0) }));
  const { bytes, parts } = await buildMessage({ ...message, files: empty }, { keepBcc: true });
  const digests = new Map<string, string>();
  for (const { id, contentType, content } of message.files) {
    const part = parts.get(id);
    if (part !== undefined) digests.set(part, await contentDigest(contentType, content()));
  }
  const parsed = parseWhole(await buffer(bytes.open()));
  const files = parsed.files.map((file) => ({ ...file, contentDigest: digests.get(file.part) }));
  return buildMessage({ ...message, draftSeal: sealOf(printOf({ ...parsed, files }), key) }, { keepBcc: true });
}
