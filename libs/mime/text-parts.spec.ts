import type { BodyStructure } from './body-structure.js';
import { parseMessage } from './parse-message.js';
import { textPartsBeyond } from './text-parts.js';

const source = Buffer.from(
  [
    'Subject: long',
    'Content-Type: multipart/mixed; boundary=m',
    '',
    '--m',
    'Content-Type: text/html',
    '',
    '<p>first</p>',
    '--m',
    'Content-Type: image/png; name=p.png',
    'Content-Transfer-Encoding: base64',
    '',
    'A'.repeat(76),
    '--m',
    'Content-Type: text/html',
    '',
    '<p>second</p>',
    '--m--',
    '',
  ].join('\r\n'),
);

function leaf(part: string, type: string, size: number, more: Partial<BodyStructure> = {}): BodyStructure {
  const none = new Map<string, string>();
  const rest = { parameters: none, disposition: null, dispositionParameters: none, contentId: null, encoding: '7bit' };
  return { part, type, size, children: [], ...rest, ...more };
}

const structure = leaf('', 'multipart/mixed', source.length, {
  children: [
    leaf('1', 'text/html', 12),
    leaf('2', 'image/png', 76, { encoding: 'base64', parameters: new Map([['name', 'p.png']]) }),
    leaf('3', 'text/html', 13),
  ],
});
const prefix = source.subarray(0, source.indexOf('AAAA') + 20);

describe('an incomplete source', () => {
  it('names the text parts that must be fetched', () => {
    expect(textPartsBeyond(structure, prefix)).toEqual(['3']);
    expect(textPartsBeyond(structure, source)).toEqual([]);
    expect(textPartsBeyond(structure, source.subarray(0, 10))).toEqual(['1', '3']);
  });

  it('is complete with them', () => {
    const textParts = new Map([['3', Buffer.from('<p>second</p>')]]);
    expect(parseMessage({ source: prefix, complete: false, structure, textParts })).toMatchObject({
      body: '<p>first</p>\n<p>second</p>',
      files: [{ part: '2', contentType: 'image/png', filename: 'p.png' }],
      state: 'complete',
    });
  });

  it('is limited without them, or when one was cut', () => {
    const textParts = new Map([['3', Buffer.from('<p>sec')]]);
    expect(parseMessage({ source: prefix, complete: false, structure, textParts })).toMatchObject({
      body: '<p>first</p>\n<p>sec',
      state: 'limited',
      problem: 'The end of the text was not read.',
    });
    const nothing = parseMessage({ source: prefix, complete: false, structure, textParts: new Map() });
    expect(nothing).toMatchObject({ snippet: 'first', state: 'limited' });
    expect(parseMessage({ source: prefix, complete: false, structure: null, textParts })).toMatchObject({
      body: '<p>first</p>',
      state: 'limited',
      problem: 'Only the beginning of the message was read.',
    });
  });
});
