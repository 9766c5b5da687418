const LINE = `${'Nothing but words in a very long letter. '.repeat(2)}\r\n`;
const BASE64_LINE = `${'QUJD'.repeat(19)}\r\n`;

const repeat = (times: number, make: (index: number) => string) =>
  Array.from({ length: times }, (_, i) => make(i)).join('');
const multipart = (boundary: string) => `MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=${boundary}\r\n`;

/** What arrives when somebody means ill or writes his own mail program: name, more header lines, the rest. */
interface Oddity {
  readonly name: string;
  readonly headers: string;
  readonly body: () => string;
  /** What the account's log says about it; null when the message is kept whole. */
  readonly logged: RegExp | null;
}

export const oddities: readonly Oddity[] = [
  {
    name: 'sixty-megabytes-attached',
    headers: multipart('b'),
    body: () =>
      '--b\r\n\r\nSee attached.\r\n--b\r\nContent-Type: application/zip; name=big.zip\r\n' +
      `Content-Transfer-Encoding: base64\r\n\r\n${BASE64_LINE.repeat((60 << 20) / BASE64_LINE.length)}--b--\r\n`,
    logged: null,
  },
  {
    name: 'sixty-megabytes-of-words',
    headers: '',
    body: () => LINE.repeat((60 << 20) / LINE.length),
    logged: /end of the text was not read/,
  },
  {
    name: 'ten-thousand-parts',
    headers: multipart('b'),
    body: () => repeat(10_000, (i) => `--b\r\nContent-Type: text/plain\r\n\r\npart ${i}\r\n`) + '--b--\r\n',
    logged: /more than 1000 parts/,
  },
  {
    name: 'nesting-bomb',
    headers: multipart('b0'),
    body: () => repeat(1000, (i) => `--b${i}\r\nContent-Type: multipart/mixed; boundary=b${i + 1}\r\n\r\n`),
    logged: /nested deeper/,
  },
  {
    name: 'three-megabytes-of-header',
    headers: `X-Long: ${'x'.repeat(3 << 20)}\r\n`,
    body: () => 'After the header.\r\n',
    logged: /beginning of the header/,
  },
  {
    name: 'thirty-thousand-recipients',
    headers: `Cc: ${repeat(30_000, (i) => `u${i}@example.org,\r\n `)}last@example.org\r\n`,
    body: () => 'To everybody.\r\n',
    logged: /more than 25000 addresses/,
  },
  {
    name: 'unknown-charset',
    headers:
      'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=x-klingon-8\r\nX-Word: =?x-klingon-8?Q?Qapla?=\r\n',
    body: () => 'Heghlu\xBBmeH QaQ jajvam.\r\n',
    logged: null,
  },
  {
    name: 'names-of-our-own',
    headers: '__proto__: polluted\r\nconstructor: x\r\nContent-Type: text/plain; __proto__=1; charset="__proto__"\r\n',
    body: () => 'Hello.\r\n',
    logged: null,
  },
  {
    name: 'open-tags',
    headers: 'Content-Type: text/html\r\n',
    body: () => `<p>Hello${'<a href="'.repeat(100_000)}`,
    logged: null,
  },
];

/** The message as bytes, under a name of its own. */
export function odd({ name, headers, body }: Oddity, where: string, date = new Date()): Buffer {
  const id = `${where}-${name}`;
  const subject = `Subject: ${id}\r\n`;
  // The subject last, unless so much comes before it that it may be lost.
  const all = headers.length > 1 << 20 ? subject + headers : headers + subject;
  return Buffer.from(
    `Message-ID: <${id}@mail.example>\r\nDate: ${date.toUTCString()}\r\nFrom: Mallory <mallory@example.net>\r\n` +
      `To: ada@example.com\r\n${all}\r\n${body()}`,
    'latin1',
  );
}
