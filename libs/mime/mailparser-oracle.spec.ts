import { simpleParser, type AddressObject, type ParsedMail } from 'mailparser';
import { type Aspect, corpus } from '../../test/fixtures/mime/corpus.js';
import { generateMessage } from '../../test/fixtures/mime/generate.js';
import { parseMessage } from './parse-message.js';
import type { ParsedMessage } from './parsed-message.js';
import { snippetOfHtml } from './snippet.js';

type View = Record<Aspect, unknown>;

function words(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function ours(source: Buffer): View {
  const parsed: ParsedMessage = parseMessage({ source, complete: true, structure: null, textParts: new Map() });
  return {
    subject: parsed.headers.subject,
    from: parsed.headers.from,
    to: parsed.headers.to,
    text: snippetOfHtml(parsed.body),
    files: parsed.files.map((file) => [file.filename, file.size]),
  };
}

function people(list: AddressObject | AddressObject[] | undefined): unknown {
  const all = (Array.isArray(list) ? list : list ? [list] : []).flatMap((one) => one.value);
  return all.flatMap((one) => one.group ?? [one]).map(({ name, address }) => ({ name, email: address ?? '' }));
}

async function theirs(source: Buffer): Promise<View> {
  const options = { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true, skipTextLinks: true };
  const parsed: ParsedMail = await simpleParser(source, options);
  const text =
    parsed.html === false
      ? words(parsed.text ?? '')
          .slice(0, 191)
          .trim()
      : snippetOfHtml(parsed.html || '');
  return {
    subject: words(parsed.subject ?? ''),
    from: people(parsed.from),
    to: people(parsed.to),
    text,
    files: parsed.attachments.map((file) => [file.filename ?? null, file.size]),
  };
}

describe('against mailparser', () => {
  it.each(corpus.map((message) => [message.name, message] as const))('%s', async (_, message) => {
    const seen = ours(message.source);
    const expected = await theirs(message.source);
    for (const aspect of Object.keys(seen) as Aspect[]) {
      const where = { aspect, value: seen[aspect] };
      if (message.differs[aspect] === undefined) expect(where).toEqual({ aspect, value: expected[aspect] });
      else expect(where).not.toEqual({ aspect, value: expected[aspect] });
    }
  });

  it('agrees on five hundred generated messages', async () => {
    for (let seed = 1; seed <= 500; seed++) {
      const source = generateMessage(seed);
      expect({ seed, ...ours(source) }).toEqual({ seed, ...(await theirs(source)) });
    }
  }, 60_000);
});
