import type { Readable } from 'node:stream';

import { convert } from 'html-to-text';
import MailComposer from 'nodemailer/lib/mail-composer';

import type { Participant } from '#libs/common/participants.js';

export interface OutgoingFile {
  readonly filename: string | null;
  readonly contentType: string;
  /** Inline parts are shown in the body where it says `cid:` and this. */
  readonly contentId: string | null;
  readonly disposition: 'attachment' | 'inline';
  readonly content: Buffer | Readable;
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

/** A message as it is to be written. Nothing in it is made up here, so the same facts give the same headers. */
export interface OutgoingMessage extends Letter {
  readonly date: Date;
  readonly files: readonly OutgoingFile[];
}

const bracketed = (id: string): string => `<${id}>`;
const people = (list: readonly Participant[]) => list.map(({ name, email }) => ({ name, address: email }));

/** Some mail servers corrupt soft line breaks, so text goes as base64 and never as quoted-printable. */
const TEXT_ENCODING = 'base64';

/**
 * The message as bytes: text and HTML, then files.
 * @param options.keepBcc for copies that only the sender sees; what is sent to others names no Bcc
 */
export async function buildMessage(message: OutgoingMessage, options: { readonly keepBcc: boolean }): Promise<Buffer> {
  const composer = new MailComposer({
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
    text: convert(message.body, { wordwrap: false }),
    html: message.body,
    textEncoding: TEXT_ENCODING,
    attachments: message.files.map((file) => ({
      filename: file.filename ?? false,
      contentType: file.contentType,
      contentDisposition: file.disposition,
      ...(file.contentId === null ? {} : { cid: file.contentId }),
      content: file.content,
    })),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const root = composer.compile();
  Object.assign(root, { keepBcc: options.keepBcc });
  return root.build();
}
