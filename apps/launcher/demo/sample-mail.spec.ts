import { parseWhole } from '#libs/mime/parse-message.js';

import { sampleMail } from './sample-mail.js';

const now = new Date('2026-01-31T12:00:00Z');
const sample = sampleMail(now);
const parsed = sample.map(({ raw }) => parseWhole(raw));

describe('sampleMail', () => {
  it('is a small, varied mailbox', () => {
    expect(sample.length).toBeGreaterThanOrEqual(20);
    expect(sample.length).toBeLessThanOrEqual(40);
    expect(new Set(sample.map(({ folder }) => folder)).size).toBeGreaterThanOrEqual(6);
    expect(sample.every(({ date }) => date < now)).toBe(true);
  });

  it('says in every charset what it should', () => {
    const subjects = parsed.map(({ headers }) => headers.subject);
    expect(subjects).toEqual(expect.arrayContaining(['Grüße aus der Werft', 'Привет', 'お知らせ', '新茶のご案内']));
    const snippets = parsed.map(({ snippet }) => snippet);
    expect(snippets).toEqual(expect.arrayContaining(['Schöne Grüße, das Boot ist gestrichen.', 'Привет!', 'お知らせ']));
    expect(parsed.every(({ state }) => state === 'complete')).toBe(true);
  });

  it('names people, files and pictures as written', () => {
    expect(parsed.flatMap(({ headers }) => headers.from.map(({ name }) => name))).toContain('佐藤 明子');
    const files = parsed.flatMap((message) => message.files);
    expect(files.map(({ filename }) => filename)).toEqual(
      expect.arrayContaining(['Rechnung für März.pdf', 'berths.csv']),
    );
    expect(files).toContainEqual(expect.objectContaining({ contentId: 'parcel', disposition: 'inline' }));
  });

  it('answers only to messages that exist', () => {
    const ids = new Set(parsed.map(({ headers }) => headers.messageIdHeader));
    expect(ids.size).toBe(sample.length);
    for (const { headers } of parsed) {
      for (const id of [headers.inReplyTo ?? '', ...headers.references].filter(Boolean)) expect(ids).toContain(id);
    }
  });
});
