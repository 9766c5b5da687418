import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import { buildMessage, type OutgoingFile } from './build-message.js';
import { allBytes } from './message-bytes.js';
import { parseWhole } from './parse-message.js';

const letter = {
  messageIdHeader: 'one@example.com',
  inReplyTo: null,
  references: [],
  subject: 'Plans',
  from: [{ name: 'Ada', email: 'ada@example.com' }],
  to: [{ name: '', email: 'ben@example.com' }],
  cc: [],
  bcc: [{ name: '', email: 'secret@example.com' }],
  replyTo: [],
  body: '<p>Hello <img src="cid:pic"></p>',
  date: new Date('2026-01-02T03:04:05Z'),
};
const file = (id: string, content: Buffer, more: Partial<OutgoingFile> = {}): OutgoingFile => ({
  id,
  filename: 'same.bin',
  contentType: 'application/octet-stream',
  contentId: null,
  disposition: 'attachment',
  size: content.length,
  content: () =>
    content.length > 100_000 ? Readable.from([content.subarray(0, 70_001), content.subarray(70_001)]) : content,
  ...more,
});
const small = (id: string) => file(id, Buffer.from(`bytes of ${id}`));
const picture = file('pic', Buffer.from('a picture'), {
  contentId: 'pic',
  disposition: 'inline',
  contentType: 'image/png',
});
const large = file('large', Buffer.alloc(1_500_000, 'large '));

describe('buildMessage', () => {
  it.each([
    ['no file', [], {}],
    ['files', [small('a'), small('b')], { a: '2', b: '3' }],
    ['a picture', [picture], { pic: '2.2' }],
    ['all of it', [small('a'), picture, small('b')], { a: '2', pic: '1.2.2', b: '3' }],
    ['a large file', [small('a'), large], { a: '2', large: '3' }],
  ])('tells the numbers of the parts: %s', async (_what, files, numbers) => {
    const { bytes, parts } = await buildMessage({ ...letter, files }, { keepBcc: false });
    expect(Object.fromEntries(parts)).toEqual(numbers);
    const source = await allBytes(bytes);
    const read = parseWhole(source).files.map(({ part, size, contentType }) => ({ part, size, contentType }));
    const expected = files.map(({ id, size, contentType }) => ({ part: parts.get(id), size, contentType }));
    const byPart = (a: { part?: string | undefined }, b: typeof a) => String(a.part).localeCompare(String(b.part));
    expect(read.toSorted(byPart)).toEqual(expected.toSorted(byPart));
  });

  it('is part 1 when it is nothing but a file', async () => {
    const { bytes, parts } = await buildMessage({ ...letter, body: '', files: [small('a')] }, { keepBcc: false });
    expect(parseWhole(await allBytes(bytes)).files.map(({ part }) => part)).toEqual([parts.get('a')]);
  });

  it('can be read again and again, in memory or not', async () => {
    for (const files of [[small('a')], [large]]) {
      const { bytes } = await buildMessage({ ...letter, files }, { keepBcc: false });
      for (const again of [await buffer(bytes.open()), await buffer(bytes.open())]) {
        expect(again).toHaveLength(bytes.size);
        expect(parseWhole(again).files).toMatchObject([{ size: files[0]!.size }]);
      }
    }
  });

  it('is the same bytes whenever it is built', async () => {
    for (const files of [[small('a'), picture], [large]]) {
      const build = async () => allBytes((await buildMessage({ ...letter, files }, { keepBcc: true })).bytes);
      expect((await build()).equals(await build())).toBe(true);
    }
  });

  it('names Bcc only where it may', async () => {
    for (const files of [[], [large]]) {
      for (const keepBcc of [true, false]) {
        const { bytes } = await buildMessage({ ...letter, files }, { keepBcc });
        expect((await allBytes(bytes)).includes('secret')).toBe(keepBcc);
      }
    }
  });

  it('fails when a file cannot be read', async () => {
    const gone = () =>
      new Readable({
        read() {
          this.destroy(new Error('gone'));
        },
      });
    const broken = { ...large, content: gone };
    await expect(buildMessage({ ...letter, files: [broken] }, { keepBcc: false })).rejects.toThrow('gone');
  });
});
