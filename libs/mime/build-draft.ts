import { buffer } from 'node:stream/consumers';

import { buildMessage, type BuiltMessage, type OutgoingMessage } from './build-message.js';
import { type DraftKey, printOf, sealOf } from './draft-print.js';
import { parseWhole } from './parse-message.js';

/**
 * The copy of a draft for the provider's folder of drafts. Its header has a seal of what is in it, as it will be read: so
 * we know when we read it whether another mail program changed it. For that it is built before, without its files' bytes.
 */
export async function buildDraft(message: OutgoingMessage, key: DraftKey): Promise<BuiltMessage> {
  const files = message.files.map((file) => ({ ...file, size: 0, content: () => Buffer.alloc(0) }));
  const { bytes } = await buildMessage({ ...message, files }, { keepBcc: true });
  const source = await buffer(bytes.open());
  const print = printOf(parseWhole(source));
  return buildMessage({ ...message, draftSeal: sealOf(print, key) }, { keepBcc: true });
}
