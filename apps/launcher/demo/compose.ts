import { createHash } from 'node:crypto';

export interface Attachment {
  readonly name: string;
  readonly type: string;
  readonly content: Buffer;
  /** Shown inside the HTML as `cid:<contentId>`. */
  readonly contentId?: string;
}

export interface Letter {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly cc?: string;
  readonly subject: string;
  readonly date: Date;
  /** Ids of the messages before it in the conversation, oldest first. */
  readonly after?: readonly string[];
  readonly text: string;
  readonly html?: string;
  /** The text as bytes in another charset than UTF-8. */
  readonly encoded?: { readonly charset: string; readonly bytes: Buffer; readonly subject: string };
  readonly attachments?: readonly Attachment[];
  readonly headers?: readonly string[];
}

const messageId = (id: string) => `<${id}@sample.example>`;

/** The letter as RFC 5322 bytes. */
export function compose(letter: Letter): Buffer {
  const { after = [] } = letter;
  const references = after.map(messageId);
  const head = [
    `Message-ID: ${messageId(letter.id)}`,
    `Date: ${letter.date.toUTCString().replace('GMT', '+0000')}`,
    `From: ${address(letter.from)}`,
    `To: ${address(letter.to)}`,
    ...(letter.cc ? [`Cc: ${address(letter.cc)}`] : []),
    `Subject: ${letter.encoded?.subject ?? word(letter.subject)}`,
    ...(after.length ? [`In-Reply-To: ${references.at(-1)}`, `References: ${references.join('\r\n ')}`] : []),
    ...(letter.headers ?? []),
    'MIME-Version: 1.0',
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n${body(letter)}`);
}

/** A header plus blank line plus content: everything of a part that follows its enclosing boundary. */
function body(letter: Letter): string {
  const { html, attachments = [] } = letter;
  const plain = letter.encoded
    ? part(`text/plain; charset=${letter.encoded.charset}`, letter.encoded.bytes)
    : part('text/plain; charset=utf-8', Buffer.from(letter.text));
  const inline = attachments.filter((each) => each.contentId);
  const attached = attachments.filter((each) => !each.contentId);
  let content = plain;
  if (html !== undefined) {
    let rich = part('text/html; charset=utf-8', Buffer.from(html));
    if (inline.length) rich = multipart('related', [rich, ...inline.map(attachment)], letter.id);
    content = multipart('alternative', [plain, rich], letter.id);
  }
  return attached.length ? multipart('mixed', [content, ...attached.map(attachment)], letter.id) : content;
}

function part(type: string, content: Buffer, headers: readonly string[] = []): string {
  const lines = content.toString('base64').replaceAll(/(.{76})/g, '$1\r\n');
  return [`Content-Type: ${type}`, 'Content-Transfer-Encoding: base64', ...headers, '', lines, ''].join('\r\n');
}

function attachment({ name, type, content, contentId }: Attachment): string {
  const ascii = /^[\x20-\x7e]+$/.test(name);
  const file = ascii ? `filename="${name}"` : `filename*=UTF-8''${encodeURIComponent(name)}`;
  const disposition = `Content-Disposition: ${contentId ? 'inline' : 'attachment'}; ${file}`;
  return part(type, content, contentId ? [disposition, `Content-ID: <${contentId}>`] : [disposition]);
}

function multipart(kind: string, parts: readonly string[], seed: string): string {
  const boundary = `=_${createHash('sha256').update(`${kind} ${seed}`).digest('hex').slice(0, 24)}`;
  const inner = parts.map((each) => `--${boundary}\r\n${each}\r\n`).join('');
  return `Content-Type: multipart/${kind}; boundary="${boundary}"\r\n\r\n${inner}--${boundary}--\r\n`;
}

/** RFC 2047, in pieces short enough for one encoded word each. */
function word(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const pieces = Array.from(text).reduce<string[]>((all, character) => {
    const last = all.at(-1);
    if (last !== undefined && Buffer.byteLength(last + character) <= 42) all[all.length - 1] = last + character;
    else all.push(character);
    return all;
  }, []);
  return pieces.map((piece) => `=?UTF-8?B?${Buffer.from(piece).toString('base64')}?=`).join('\r\n ');
}

/** `Name <address>`, several separated by commas. */
function address(list: string): string {
  return list
    .split(/,\s*/)
    .map((one) => {
      const [, name, mailbox] = /^(.*?)\s*<(.+)>$/.exec(one) ?? [null, '', one];
      return name ? `${word(name)} <${mailbox}>` : mailbox;
    })
    .join(', ');
}
