import { idIn } from '#libs/domain/messages/own-message-id.js';
import { contentDigest } from '#libs/mime/draft-print.js';
import type { ParsedFile } from '#libs/mime/parsed-message.js';
import { endsConnection, folderKinds, ProviderError } from '#libs/providers/contracts/provider-error.js';

import type { ReadMessage } from './ingest.js';
import { hasCopies } from './own-messages.js';
import { type DriverSource, readMessages, type ReadOutcome } from './read-messages.js';

/**
 * Reads messages, and of copies of drafts the files, too: another mail program may have attached others under the same
 * names. That costs no more than that program, or we, spent on saving them.
 * @throws ProviderError as readMessages does
 */
export async function readCopies(
  source: DriverSource,
  { path, role }: { readonly path: string; readonly role: string | null },
  uids: readonly number[],
): Promise<ReadOutcome> {
  const outcome = await readMessages(source, path, uids);
  if (!hasCopies(role)) return outcome;
  const messages: ReadMessage[] = [];
  for (const message of outcome.messages) {
    const { headers, files } = message.parsed;
    // Sent mail without the seal is what was sent, and not what was to be.
    const ofDraft = idIn(headers.messageIdHeader) !== null && (role === 'drafts' || headers.draftSeal !== null);
    if (!ofDraft || files.length === 0) messages.push(message);
    else {
      const read: ParsedFile[] = [];
      for (const file of files) read.push(await withDigest(source, path, message.uid, file));
      messages.push({ ...message, parsed: { ...message.parsed, files: read } });
    }
  }
  return { ...outcome, messages };
}

/** What the server does not give is not known. */
async function withDigest(source: DriverSource, path: string, uid: number, file: ParsedFile): Promise<ParsedFile> {
  try {
    const content = await (await source.get()).part(path, uid, file.part);
    return { ...file, contentDigest: await contentDigest(file.contentType, content) };
  } catch (error) {
    if (!(error instanceof ProviderError) || !folderKinds.has(error.kind)) throw error;
    if (endsConnection(error)) await source.discard();
    return file;
  }
}
