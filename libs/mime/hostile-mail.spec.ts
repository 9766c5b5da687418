import { parseWhole } from './parse-message.js';
import type { ParsedMessage } from './parsed-message.js';

/** Generous: the slowest takes a fiftieth of it on an idle machine, a quadratic reader would need minutes. */
const MAX_MS = 10_000;
const MAX_HEAP_BYTES = 300 * 1024 * 1024;

const HEAD = 'From: a@example.com\r\nSubject: kept\r\n';
const PARTS = `${HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n`;
const HTML = `${HEAD}Content-Type: text/html\r\n\r\n`;
const FLOWED = `${HEAD}Content-Type: text/plain; format=flowed\r\n\r\n`;

function repeat(times: number, make: (i: number) => string): string {
  return Array.from({ length: times }, (_, i) => make(i)).join('');
}

type Outcome = readonly [state: ParsedMessage['state'], problem: string | null];
const COMPLETE: Outcome = ['complete', null];
const LONG_HEADER: Outcome = ['limited', 'The header is longer than 1048576 bytes; the rest was left out.'];
const LONG_BODY: Outcome = ['limited', 'The body is longer than 2000000 characters and was cut.'];
const MANY_PARTS: Outcome = ['limited', 'The message has more than 1000 parts; the rest was left out.'];
const DEEP: Outcome = ['limited', 'The message is nested deeper than 100 levels; the rest was left out.'];
const LONG_SUBJECT: Outcome = ['limited', 'The subject is longer than 2000 characters and was cut.'];
const MANY_PEOPLE: Outcome = ['limited', 'The message has more than 25000 addresses; the rest was left out.'];

const cases: ReadonlyArray<readonly [name: string, outcome: Outcome, make: () => string]> = [
  ['a header of 3 MB', LONG_HEADER, () => `${HEAD}X-Long: ${'x'.repeat(3 << 20)}\r\n\r\nbody`],
  ['200,000 small headers', LONG_HEADER, () => `${HEAD}${repeat(200_000, (i) => `x${i}: y\r\n`)}\r\nbody`],
  ['lines without a colon', LONG_HEADER, () => `${HEAD}${'no colon here\r\n'.repeat(100_000)}\r\nbody`],
  ['a long subject', LONG_SUBJECT, () => `From: a@example.com\r\nSubject: kept${'=?a?q?'.repeat(100_000)}\r\n\r\nbody`],
  ['10,000 parts', MANY_PARTS, () => PARTS + repeat(10_000, (i) => `--b\r\n\r\npart ${i}\r\n`)],
  ['50,000 parts', MANY_PARTS, () => PARTS + repeat(50_000, (i) => `--b\r\n\r\npart ${i}\r\n`)],
  [
    '16,000 inline parts',
    MANY_PARTS,
    () => PARTS + '--b\r\nContent-ID: <1>\r\nContent-Type: image/gif\r\n\r\nR0\r\n'.repeat(16_000),
  ],
  [
    '1,500 nested multiparts',
    DEEP,
    () => PARTS + repeat(1500, (i) => `--b${i || ''}\r\nContent-Type: multipart/mixed; boundary=b${i + 1}\r\n\r\n`),
  ],
  [
    'nested under one boundary',
    ['limited', `${DEEP[1]} ${MANY_PARTS[1]}`],
    () => PARTS + '--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n'.repeat(1500),
  ],
  [
    '500 nested messages',
    COMPLETE,
    () => HEAD + repeat(500, (i) => `Content-Type: message/rfc822\r\n\r\nSubject: ${i}\r\n`),
  ],
  ['20,000 recipients', COMPLETE, () => `${HEAD}To: ${repeat(20_000, (i) => `u${i}@example.com, `)}\r\n\r\nbody`],
  [
    '30,000 recipients',
    MANY_PEOPLE,
    () => `${HEAD}To: ${repeat(30_000, (i) => `u${i}@example.com,\r\n `)}\r\n\r\nbody`,
  ],
  ['open comments', COMPLETE, () => `${HEAD}To: ${'(a,'.repeat(300_000)}\r\n\r\nbody`],
  ['open quotes', COMPLETE, () => `${HEAD}To: ${'"\\'.repeat(300_000)}\r\n\r\nbody`],
  ['open brackets', COMPLETE, () => `${HEAD}To: ${'<@,'.repeat(300_000)}\r\n\r\nbody`],
  ['open encoded words', COMPLETE, () => `${HEAD}To: ${'=?'.repeat(400_000)}\r\n\r\nbody`],
  ['open references', COMPLETE, () => `${HEAD}References: ${'(<'.repeat(400_000)}\r\n\r\nbody`],
  ['2 MB of addresses of pages', LONG_BODY, () => `${HEAD}\r\n${'http://example.com/a '.repeat(100_000)}`],
  ['one address of 2 MB', LONG_BODY, () => `${HEAD}\r\nhttp://${'('.repeat(1_000_000)}${')'.repeat(900_000)}`],
  ['2 MB of flowed text', COMPLETE, () => FLOWED + 'some words in a line \r\n'.repeat(90_000)],
  ['a quote 1.9 million deep', LONG_BODY, () => FLOWED + '>'.repeat(1_900_000)],
  ['60,000 nested divs', COMPLETE, () => `${HTML}${'<div>'.repeat(60_000)}deep${'</div>'.repeat(60_000)}`],
  ['open scripts', COMPLETE, () => HTML + '<script>'.repeat(100_000)],
  ['open heads', COMPLETE, () => HTML + '<head><noscript>'.repeat(60_000)],
  ['open attributes', COMPLETE, () => HTML + '<a b="'.repeat(200_000)],
  ['open meta tags', COMPLETE, () => `${HTML}${'<meta '.repeat(300_000)}\xe9`],
  ['5 MB of dashes', LONG_BODY, () => `${PARTS}--b\r\n\r\n${'-'.repeat(5_000_000)}`],
  ['lines of two dashes', COMPLETE, () => `${PARTS}--b\r\n\r\n${'--\n'.repeat(80_000)}`],
  ['padding everywhere', COMPLETE, () => `${HEAD}Content-Transfer-Encoding: base64\r\n\r\n${'YQ=='.repeat(400_000)}`],
  [
    'equals signs and blanks',
    COMPLETE,
    () => `${HEAD}Content-Transfer-Encoding: quoted-printable\r\n\r\n=${' '.repeat(1_900_000)}x`,
  ],
];

describe('hostile mail', () => {
  it.each(cases)('%s', (_, outcome, make) => {
    const source = Buffer.from(make(), 'latin1');
    const heap = process.memoryUsage().heapUsed;
    const start = performance.now();
    const parsed = parseWhole(source);
    expect(performance.now() - start).toBeLessThan(MAX_MS);
    expect(process.memoryUsage().heapUsed - heap).toBeLessThan(MAX_HEAP_BYTES);
    expect([parsed.state, parsed.problem]).toEqual(outcome);
    expect(parsed.headers.subject).toMatch(/^kept/);
    expect(parsed.headers.from).toEqual([{ name: '', email: 'a@example.com' }]);
    expect(parsed.body.length).toBeLessThanOrEqual(2_000_000);
  });

  it('keeps harmless what looks like a property of every object', () => {
    const source = Buffer.from(
      '__proto__: x\r\nconstructor: y\r\nContent-Type: text/plain; __proto__=z; constructor=q\r\nSubject: a\0b\r\n\r\nc\0d',
    );
    const parsed = parseWhole(source);
    expect(parsed).toMatchObject({ body: '<p>cd</p>', snippet: 'cd', state: 'complete', headers: { subject: 'ab' } });
  });
});
