import { simpleParser } from 'mailparser';

import { sampleMail } from './sample-mail.js';

const now = new Date('2026-01-31T12:00:00Z');
const sample = sampleMail(now);
const parsed = Promise.all(sample.map(({ raw }) => simpleParser(raw)));

describe('sampleMail', () => {
  it('is a small, varied mailbox', () => {
    expect(sample.length).toBeGreaterThanOrEqual(20);
    expect(sample.length).toBeLessThanOrEqual(40);
    expect(new Set(sample.map(({ folder }) => folder)).size).toBeGreaterThanOrEqual(6);
    expect(sample.every(({ date }) => date < now)).toBe(true);
  });

  it('says in every charset what it should', async () => {
    const subjects = (await parsed).map(({ subject }) => subject);
    expect(subjects).toEqual(expect.arrayContaining(['Grüße aus der Werft', 'Привет', 'お知らせ', '新茶のご案内']));
    const texts = (await parsed).map(({ text }) => text?.trim());
    expect(texts).toEqual(expect.arrayContaining(['Schöne Grüße, das Boot ist gestrichen.', 'Привет!', 'お知らせ']));
  });

  it('names people, files and pictures as written', async () => {
    const mails = await parsed;
    expect(mails.flatMap(({ from }) => from?.value.map(({ name }) => name))).toContain('佐藤 明子');
    const files = mails.flatMap(({ attachments }) => attachments);
    expect(files.map(({ filename }) => filename)).toEqual(
      expect.arrayContaining(['Rechnung für März.pdf', 'berths.csv']),
    );
    expect(files.some(({ related, cid }) => related && cid === 'parcel')).toBe(true);
  });

  it('answers only to messages that exist', async () => {
    const ids = new Set((await parsed).map(({ messageId }) => messageId));
    for (const { inReplyTo } of await parsed) expect(inReplyTo === undefined || ids.has(inReplyTo)).toBe(true);
    expect(ids.size).toBe(sample.length);
  });
});
