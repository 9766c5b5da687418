import { encodeCharset, encodeHeader, encodeTransfer, prose, type Writing } from './languages.js';
import type { Person, PlannedMessage } from './plan.js';
import { Random } from './random.js';

/** A MIME entity: its header lines (without Content-* of others) and its encoded body. */
interface Entity {
  readonly headers: string;
  readonly body: readonly Buffer[];
}

const LINE = 77;
const POOL_LINES = 140_000;

/** The message as it lies in a Maildir: LF line ends. */
export function composeMessage(message: PlannedMessage, seed: number): Buffer {
  const random = new Random(seed ^ Math.imul(message.number + 1, 0x9e3779b1));
  const content = composeContent(message, random);
  const head = `${transportHeaders(message, random)}${addressHeaders(message)}${content.headers}\n`;
  return Buffer.concat([Buffer.from(head), ...content.body]);
}

function composeContent(message: PlannedMessage, random: Random): Entity {
  const text = message.newsletter ? newsletter(message, random) : letter(message, random);
  if (message.newsletter || !random.chance(0.25)) return text;
  const files = Array.from(
    {
      length: random.weighted([
        [1, 88],
        [2, 10],
        [4, 2],
      ] as const),
    },
    () => attachment(random),
  );
  return multipart('mixed', [text, ...files], random);
}

function letter(message: PlannedMessage, random: Random): Entity {
  const { writing } = message.from;
  const wide = writing.language === 'japanese' || writing.language === 'chinese' || writing.language === 'russian';
  const size = random.logUniform(500, 9_000) / (wide ? 2 : 1);
  const text = `Message ${message.number}.\n\n${prose(writing.language, random, size)}-- \n${message.from.name}\n`;
  const plain = textPart('plain', message.inReplyTo ? `${text}${quote(message, random)}` : text, writing);
  const kind = random.weighted([
    ['plain', 32],
    ['alternative', 50],
    ['html', 8],
    ['related', 10],
  ] as const);
  if (kind === 'plain') return plain;
  const html = textPart('html', htmlOf(text, kind === 'related'), writing);
  if (kind === 'html') return html;
  const rich = kind === 'related' ? multipart('related', [html, inlineImage(random)], random) : html;
  return multipart('alternative', [plain, rich], random);
}

function quote(message: PlannedMessage, random: Random): string {
  const quoted = prose(message.from.writing.language, random, random.logUniform(300, 4_000));
  return `\nOn an earlier day somebody wrote:\n${quoted.replace(/^/gm, '> ')}\n`;
}

function newsletter(message: PlannedMessage, random: Random): Entity {
  const { writing } = message.from;
  const item = (n: number) =>
    `<tr><td style="padding:12px 24px;font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:20px;color:#333333">` +
    `<a href="https://news.example/c/${random.digits(40)}" style="color:#0a5ad4;text-decoration:none"><b>${n}</b></a>\n` +
    `<p>${prose(writing.language, random, 200)}</p></td></tr>\n`;
  const rows = Array.from({ length: random.int(8, 45) }, (_, n) => item(n)).join('');
  const html = `<html><head><style>td{vertical-align:top}</style></head><body><table width="640">\n${rows}</table></body></html>\n`;
  const plain = `Message ${message.number}.\n\n${prose(writing.language, random, 1_500)}`;
  return multipart('alternative', [textPart('plain', plain, writing), textPart('html', html, writing)], random);
}

function htmlOf(text: string, withImage: boolean): string {
  const paragraphs = text.replaceAll('\n\n', '</p>\n<p>');
  const image = withImage ? '<img src="cid:picture@mail.example" alt="">\n' : '';
  return `<html><body style="font-family:Calibri,sans-serif">\n<p>${paragraphs}</p>\n${image}</body></html>\n`;
}

function textPart(subtype: 'plain' | 'html', text: string, writing: Writing): Entity {
  return {
    headers:
      `Content-Type: text/${subtype}; charset=${writing.charset}\n` +
      `Content-Transfer-Encoding: ${writing.encoding}\n`,
    body: [encodeTransfer(encodeCharset(text, writing.charset), writing.encoding)],
  };
}

function multipart(subtype: string, parts: readonly Entity[], random: Random): Entity {
  const boundary = `=_${random.digits(24)}`;
  const body = parts.flatMap((part) => [
    Buffer.from(`--${boundary}\n${part.headers}\n`),
    ...part.body,
    Buffer.from('\n'),
  ]);
  return {
    headers: `Content-Type: multipart/${subtype};\n boundary="${boundary}"\n`,
    body: [...body, Buffer.from(`--${boundary}--\n`)],
  };
}

const fileKinds = [
  ['application/pdf', 'report.pdf'],
  ['image/jpeg', 'IMG_2041.JPG'],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'minutes of the meeting.docx'],
  ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'Übersicht.xlsx'],
  ['application/zip', 'archive.zip'],
  ['application/octet-stream', '請求書.bin'],
] as const;

/** Mostly 50 to 500 kB as transferred; a few up to 5 MB. */
function attachment(random: Random): Entity {
  const [type, name] = random.pick(fileKinds);
  const size = random.chance(0.004) ? random.int(1_000_000, 5_000_000) : random.logUniform(45_000, 500_000);
  const filename = /^[\x20-\x7e]+$/.test(name) ? `filename="${name}"` : `filename*=UTF-8''${encodeURIComponent(name)}`;
  return {
    headers: `Content-Type: ${type}\nContent-Disposition: attachment; ${filename}\nContent-Transfer-Encoding: base64\n`,
    body: [encodedBytes(random, size)],
  };
}

function inlineImage(random: Random): Entity {
  return {
    headers:
      'Content-Type: image/png; name=picture.png\nContent-Disposition: inline; filename=picture.png\n' +
      'Content-ID: <picture@mail.example>\nContent-Transfer-Encoding: base64\n',
    body: [encodedBytes(random, random.logUniform(4_000, 60_000))],
  };
}

let pool: Buffer | undefined;

/** About `size` bytes of base64 lines. Full lines only, so no padding is due. */
function encodedBytes(random: Random, size: number): Buffer {
  pool ??= makePool();
  const lines = Math.max(1, Math.round(size / LINE));
  const start = random.int(0, POOL_LINES - lines - 1);
  return pool.subarray(start * LINE, (start + lines) * LINE);
}

function makePool(): Buffer {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const random = new Random(64);
  const bytes = Buffer.allocUnsafe(POOL_LINES * LINE);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = at % LINE === LINE - 1 ? 10 : alphabet.charCodeAt(random.next() * 64);
  }
  return bytes;
}

function transportHeaders(message: PlannedMessage, random: Random): string {
  const date = mailDate(message.at);
  const domain = message.from.email.split('@')[1]!;
  const hop = (host: string) =>
    `Received: from ${host} (${host} [192.0.2.${random.int(1, 254)}])\n\tby mx.example.com with ESMTPS id ${random.digits(14)}\n\tfor <ada@example.com>; ${date}\n`;
  const signature = Array.from({ length: 5 }, () => `\t${random.digits(68)}`).join('\n');
  return (
    `Return-Path: <${message.from.email}>\n${hop(`mail.${domain}`)}${hop(`out${random.int(1, 9)}.${domain}`)}` +
    `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=${domain}; s=mail;\n\th=from:to:subject:date:message-id; b=\n${signature}\n` +
    `Authentication-Results: mx.example.com; dkim=pass header.d=${domain}; spf=pass\n` +
    (message.newsletter ? `List-Unsubscribe: <https://news.example/u/${random.digits(24)}>\nPrecedence: bulk\n` : '')
  );
}

function addressHeaders(message: PlannedMessage): string {
  const { charset } = message.from.writing;
  const list = (people: readonly Person[]) => people.map((person) => address(person, charset)).join(',\n ');
  return (
    `Date: ${mailDate(message.at)}\nFrom: ${address(message.from, charset)}\nTo: ${list(message.to)}\n` +
    (message.cc.length > 0 ? `Cc: ${list(message.cc)}\n` : '') +
    `Subject: ${encodeHeader(message.subject, charset)}\nMessage-ID: <${message.messageId}>\n` +
    (message.inReplyTo ? `In-Reply-To: <${message.inReplyTo}>\n` : '') +
    (message.references.length > 0 ? `References: ${message.references.map((id) => `<${id}>`).join('\n ')}\n` : '') +
    'MIME-Version: 1.0\n'
  );
}

function address(person: Person, charset: string): string {
  const usable = charset === 'us-ascii' || charset.startsWith('iso-8859') ? 'utf-8' : charset;
  const isForeign = /[^\x20-\x7e]/.test(person.name) && usable !== person.writing.charset;
  return `${encodeHeader(person.name, isForeign ? 'utf-8' : usable)} <${person.email}>`;
}

/** RFC 5322 date in UTC. */
function mailDate(at: number): string {
  return new Date(at * 1000).toUTCString().replace('GMT', '+0000');
}
