import { hash } from 'node:crypto';

import { buildDraft } from '#libs/mime/build-draft.js';
import type { OutgoingMessage } from '#libs/mime/build-message.js';
import { contentDigest, type DraftKey, isSamePrint, letterOf, printOf, sealOf } from '#libs/mime/draft-print.js';
import { allBytes } from '#libs/mime/message-bytes.js';
import { parseWhole } from '#libs/mime/parse-message.js';
import type { ParsedMessage } from '#libs/mime/parsed-message.js';

import { isOurs, judgeCopy, type JudgedCopy, type OwnMessage } from './judge-copy.js';

const SAVED = new Date('2026-01-02T03:04:05Z');
const ID = 'a'.repeat(25);
const headerOf = (version: number) => `${ID}-${version}@example.com`;
const CONTENT = Buffer.alloc(200_000, 'x');
const DIGEST = hash('sha256', CONTENT);
const draft = (version: number, more: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  messageIdHeader: headerOf(version),
  inReplyTo: null,
  references: [],
  subject: '  Pläne  für\tmorgen: ' + 'sehr '.repeat(60),
  from: [{ name: 'Ada "the" Owner', email: 'Ada@Example.com' }],
  to: [{ name: 'Ève, Jr.', email: 'eve@exämple.com' }],
  cc: [],
  bcc: [{ name: '', email: 'secret@example.com' }],
  replyTo: [],
  body: '\n<p>Grüße &amp; <b>mehr</b>\r\nText</p>\n\n',
  date: SAVED,
  files: ['plän.txt', null].map((filename, n) => ({
    id: String(n),
    filename,
    contentType: 'text/plain',
    contentId: null,
    disposition: 'attachment',
    size: 200_000,
    content: () => CONTENT,
  })),
  ...more,
});
const KEY: DraftKey = { secret: '8d8b2f0e-6d7a-4f6c-9a55-0f1c1e6a3b11', since: new Date('2026-01-01T00:00:00Z') };
const parse = (source: Buffer, contentDigest = DIGEST): ParsedMessage => {
  const parsed = parseWhole(source);
  return { ...parsed, files: parsed.files.map((file) => ({ ...file, contentDigest })) };
};
const read = (source: Buffer, receivedAt = SAVED): JudgedCopy => {
  const parsed = parse(source);
  return { parsed, receivedAt, ours: isOurs({ parsed, receivedAt }, KEY) };
};
async function saved(version: number, more: Partial<OutgoingMessage> = {}): Promise<Buffer> {
  return allBytes((await buildDraft(draft(version, more), KEY)).bytes);
}
const changed = (source: Buffer, from: string | RegExp, to: string): JudgedCopy =>
  read(Buffer.from(source.toString('latin1').replace(from, to), 'latin1'));
const own = (more: Partial<OwnMessage> = {}): OwnMessage => ({
  messageIdHeader: headerOf(1),
  version: 1,
  draft: true,
  sent: false,
  draftPrint: null,
  unsaved: false,
  onItsWay: false,
  ...more,
});

const SEAL = /^X-Postrider-Draft: (.*)\r\n/m;

describe('isOurs', () => {
  it('cannot be said by who has a copy and not the key, nor with the key of another account', async () => {
    const source = await saved(1);
    const seal = SEAL.exec(source.toString('latin1'))?.[1];
    const print = printOf(parse(source));
    expect([seal, read(source).ours]).toEqual([sealOf(print, KEY), true]);
    for (const forged of [print, sealOf(print, { ...KEY, secret: 'another' }), '']) {
      expect(changed(source, SEAL, `X-Postrider-Draft: ${forged}\r\n`).ours).toBe(false);
    }
  });

  it('was said without a key by copies that are older than it', async () => {
    const print = letterOf(printOf(parse(await saved(1))));
    const source = (await saved(1)).toString('latin1').replace(SEAL, `X-Postrider-Draft: ${print}\r\n`);
    const old = new Date(KEY.since.getTime() - 1000);
    expect(read(Buffer.from(source, 'latin1'), old).ours).toBe(true);
    expect(read(Buffer.from(source.replace('Subject: ', 'Subject: Re: '), 'latin1'), old).ours).toBe(false);
  });
});

describe('printOf', () => {
  const same = (one: ParsedMessage, other: ParsedMessage) => isSamePrint(printOf(one), printOf(other));
  it('tells what is in files, too, where that was read', async () => {
    const source = await saved(1);
    const [known, replaced] = [parse(source), parse(source, 'another')];
    const unread = parseWhole(source);
    expect([same(known, known), same(known, replaced)]).toEqual([true, false]);
    expect([same(known, unread), same(unread, replaced), same(unread, unread)]).toEqual([true, true, true]);
    const edited = parse(await saved(1, { subject: 'Other' }));
    expect([same(known, edited), same(unread, edited)]).toEqual([false, false]);
  });

  it.each([
    ['text/plain', 'a\nb', false],
    ['message/rfc822', 'a\nb\n', true],
  ])('knows a file of type %s though a server changed its line ends: %s', async (type, text, known) => {
    const [one, other] = [text, text.replaceAll('\n', '\r\n')].map((it) => contentDigest(type, Buffer.from(it)));
    expect((await one) === (await other)).toBe(known);
  });
});

describe('judgeCopy', () => {
  it('knows our copies, and the same bytes are made of the same draft', async () => {
    const source = await saved(1);
    expect(source.equals(await saved(1))).toBe(true);
    expect(judgeCopy('drafts', read(source), own())).toBe('copy');
    expect(judgeCopy('drafts', read(await saved(1, { body: '', subject: '', files: [] })), own())).toBe('copy');
  });

  it.each([
    ['its subject', /^Subject: [\s\S]*?\r\n(?! )/m, 'Subject: Other\r\n'],
    ['whom it goes to', /^Bcc: .*\r\n/m, ''],
    ['its files', /^Content-Disposition: attachment[\s\S]*?\r\n(?! )/m, 'Content-Disposition: inline\r\n'],
  ])('sees that another mail program changed %s', async (_, from, to) => {
    const edited = changed(await saved(1), from, to);
    expect(judgeCopy('drafts', edited, own())).toBe('edited');
    // Changed here meanwhile, sent, or on its way: both are kept.
    for (const more of [{ version: 2, messageIdHeader: headerOf(2) }, { draft: false }, { onItsWay: true }]) {
      expect(judgeCopy('drafts', edited, own(more))).toBe('foreign');
    }
    // What was taken over is not news when its folder is read anew.
    const taken = own({ version: 2, draftPrint: printOf(edited.parsed) });
    expect(judgeCopy('drafts', edited, taken)).toBe('copy');
    expect(judgeCopy('drafts', read(await saved(1)), taken)).toBe('stale');
    const since = own({ version: 3, messageIdHeader: headerOf(3), draftPrint: printOf(edited.parsed) });
    expect(judgeCopy('drafts', edited, since)).toBe('stale');
  });

  it('has no use for copies of what was before, once that is saved', async () => {
    const old = read(await saved(0));
    expect(judgeCopy('drafts', old, own())).toBe('stale');
    expect(judgeCopy('drafts', old, own({ unsaved: true }))).toBe('copy');
    expect(judgeCopy('drafts', old, own({ draft: false, sent: true, messageIdHeader: headerOf(0) }))).toBe('stale');
  });

  it('knows a draft that comes back from another folder', async () => {
    expect(judgeCopy('drafts', read(await saved(1)), own({ draft: false }))).toBe('copy');
  });

  it('takes among sent mail what another mail program sent for what the draft became', async () => {
    const source = await saved(1);
    const edited = changed(source, /^X-Postrider-Draft: .*\r\n/m, '');
    expect(judgeCopy('sent', read(source), own())).toBe('copy');
    expect(judgeCopy('sent', edited, own())).toBe('edited');
    expect(judgeCopy('sent', edited, own({ onItsWay: true }))).toBe('copy');
    expect(judgeCopy('sent', edited, own({ draft: false }))).toBe('copy');
    expect(judgeCopy('sent', edited, own({ messageIdHeader: headerOf(2), version: 2 }))).toBe('foreign');
  });
});
