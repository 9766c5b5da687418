import { parseMessage } from '#libs/mime/parse-message.js';

/** A file as it was put into a message. */
interface AttachedFile {
  readonly id: string;
  readonly filename: string | null;
  readonly contentType: string;
}

/** The MIME part numbers of a message's files, by file id, read from the message as it was built. */
export function partsOf(source: Buffer, files: readonly AttachedFile[]): Map<string, string> {
  const parsed = [...parseMessage({ source, complete: true, structure: null, textParts: new Map() }).files];
  const parts = new Map<string, string>();
  for (const { id, filename, contentType } of files) {
    const at = parsed.findIndex(
      (file) => file.filename === filename && file.contentType.toLowerCase() === contentType.toLowerCase(),
    );
    const [found] = at < 0 ? [] : parsed.splice(at, 1);
    if (found) parts.set(id, found.part);
  }
  return parts;
}
