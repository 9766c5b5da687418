import { rawMessage } from './raw-message.js';

const now = new Date('2026-01-02T03:04:05Z');
const HEAD =
  'From: ada@example.com\nTo: ben@example.com\nMessage-ID: <one@example.com>\nDate: Fri, 2 Jan 2026 03:04:05 +0000\n';

/** In pieces of every size. */
async function* pieces(text: string, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size), 'latin1');
}
async function stored(text: string, size = 7) {
  const { headers, messageIdHeader, chunks } = await rawMessage(pieces(text, size), 'abc', now);
  const read: Buffer[] = [];
  for await (const chunk of chunks) read.push(chunk);
  return { headers, messageIdHeader, source: Buffer.concat(read).toString('latin1') };
}

describe('rawMessage', () => {
  it.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('ends every line in CRLF, wherever the pieces are cut: %s', async (_what, end) => {
    const text = `${HEAD}Subject: h\xe9\n\nOne\n\n.\ntwo\n`;
    for (const size of [1, 2, 3, 7, 1000]) {
      const { source, messageIdHeader, headers } = await stored(text.replaceAll('\n', end), size);
      expect(source).toBe(text.replaceAll('\n', '\r\n'));
      expect([messageIdHeader, headers.to]).toEqual(['one@example.com', [{ name: '', email: 'ben@example.com' }]]);
    }
  });

  it('keeps a last CR, and lines of all kinds apart', async () => {
    expect((await stored(`${HEAD}\na\r\r\nb\n\rc\r`)).source).toBe(`${HEAD}\na\n\nb\n\nc\n`.replaceAll('\n', '\r\n'));
  });

  it('adds what is missing, in front', async () => {
    const { source, messageIdHeader } = await stored('From: ada@example.com\r\n\r\nHi');
    expect(source).toBe(
      `Message-ID: <${messageIdHeader}>\r\nDate: Fri, 02 Jan 2026 03:04:05 +0000\r\nFrom: ada@example.com\r\n\r\nHi`,
    );
  });

  it('takes a message that is nothing but a header, and none at all', async () => {
    expect((await stored(HEAD.trimEnd())).headers.from).toHaveLength(1);
    expect((await stored('')).headers.from).toEqual([]);
  });

  it('does not read on and on for the end of a header', async () => {
    let asked = 0;
    const endless = async function* () {
      for (;;) {
        asked += 1;
        yield Buffer.from(`X-Long: ${'x'.repeat(65_536)}\r\n`);
      }
    };
    await expect(rawMessage(endless(), 'abc', now)).rejects.toThrow('header of the message is longer');
    expect(asked).toBeLessThan(20);
  });
});
