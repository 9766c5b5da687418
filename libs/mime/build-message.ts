import { hash } from 'node:crypto';
import type { Readable } from 'node:stream';

import { compile } from 'html-to-text';
import MailComposer from 'nodemailer/lib/mail-composer';
import type MimeNode from 'nodemailer/lib/mime-node';

import type { Participant } from '#libs/common/participants.js';

import { heldBytes, measuredBytes, type MessageBytes } from './message-bytes.js';

export interface OutgoingFile {
  readonly id: string;
  readonly filename: string | null;
  readonly contentType: string;
  /** Inline parts are shown in the body where it says `cid:` and this. */
  readonly contentId: string | null;
  readonly disposition: 'attachment' | 'inline';
  /** Bytes. */
  readonly size: number;
  /** All of it, or, where it is long, a stream that is opened when it is read. A message may be built more than once. */
  readonly content: () => Buffer | Readable;
}

/** What somebody wrote, and to whom. */
export interface Letter {
  /** Without angle brackets, as are the next two. */
  readonly messageIdHeader: string;
  readonly inReplyTo: string | null;
  readonly references: readonly string[];
  readonly subject: string;
  readonly from: readonly Participant[];
  readonly to: readonly Participant[];
  readonly cc: readonly Participant[];
  readonly bcc: readonly Participant[];
  readonly replyTo: readonly Participant[];
  /** HTML. */
  readonly body: string;
}

/** A message as it is to be written. Nothing in it is made up here, so the same facts give the same bytes. */
export interface OutgoingMessage extends Letter {
  readonly date: Date;
  readonly files: readonly OutgoingFile[];
  /** Of copies of drafts alone, for the next who reads them. */
  readonly draftSeal?: string;
}

const bracketed = (id: string): string => `<${id}>`;
const people = (list: readonly Participant[]) => list.map(({ name, email }) => ({ name, address: email }));

/** Some mail servers corrupt soft line breaks, so text goes as base64 and never as quoted-printable. */
const TEXT_ENCODING = 'base64';

/** Longer HTML is not wholly repeated as plain text: converting it takes 45 ms for 100,000 characters. */
const MOST_HTML = 150_000;
const toText = compile({ wordwrap: false });

/** Messages up to so many bytes are built in memory. */
const SMALL = 1_048_576;

export interface BuiltMessage {
  readonly bytes: MessageBytes;
  /** The MIME part numbers of its files, by their ids. */
  readonly parts: ReadonlyMap<string, string>;
}

/**
 * The message as bytes: text and HTML, then files. A long one is built anew whenever it is read, piece by piece.
 * @param options.keepBcc for copies that only the sender sees; what is sent to others names no Bcc
 */
export async function buildMessage(
  message: OutgoingMessage,
  options: { readonly keepBcc: boolean },
): Promise<BuiltMessage> {
  const text = toText(message.body.slice(0, MOST_HTML));
  const composed = () => compose(message, text, options);
  const { root, parts } = composed();
  const size = message.files.reduce((sum, file) => sum + file.size, message.body.length);
  const bytes =
    size <= SMALL
      ? heldBytes(await root.build())
      : await measuredBytes(() => composed().root.createReadStream() as Readable);
  return { bytes, parts };
}

function compose(message: OutgoingMessage, text: string, { keepBcc }: { readonly keepBcc: boolean }) {
  const contents = new Map(message.files.map((file) => [file.content(), file.id]));
  const root = composer(message, text, [...contents.keys()]).compile();
  Object.assign(root, { keepBcc });
  return { root, parts: new Map(partsBelow(root, '', contents)) };
}

/** Numbers of RFC 3501 6.4.5; a message that is one part is part 1. */
function* partsBelow(
  node: MimeNode,
  number: string,
  contents: ReadonlyMap<unknown, string>,
): Generator<[id: string, part: string]> {
  const id = contents.get(node.content);
  if (id !== undefined) yield [id, number || '1'];
  for (const [index, child] of node.childNodes.entries()) {
    yield* partsBelow(child, `${number}${number && '.'}${index + 1}`, contents);
  }
}

function composer(message: OutgoingMessage, text: string, contents: readonly (Buffer | Readable)[]): MailComposer {
  return new MailComposer({
    // Left to chance, it would make another message of what is built once more.
    baseBoundary: hash('sha256', message.messageIdHeader).slice(0, 16),
    ...(message.draftSeal === undefined ? {} : { headers: { 'X-Postrider-Draft': message.draftSeal } }),
    messageId: bracketed(message.messageIdHeader),
    date: message.date,
    subject: message.subject,
    from: people(message.from),
    to: people(message.to),
    cc: people(message.cc),
    bcc: people(message.bcc),
    replyTo: people(message.replyTo),
    ...(message.inReplyTo === null ? {} : { inReplyTo: bracketed(message.inReplyTo) }),
    references: message.references.map(bracketed),
    text,
    html: message.body,
    textEncoding: TEXT_ENCODING,
    attachments: message.files.map((file, index) => ({
      filename: file.filename ?? false,
      contentType: file.contentType,
      contentDisposition: file.disposition,
      ...(file.contentId === null ? {} : { cid: file.contentId }),
      content: contents[index]!,
    })),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}
