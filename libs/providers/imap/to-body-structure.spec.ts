import type { MessageStructureObject } from 'imapflow';

import { toBodyStructure } from './to-body-structure.js';

const text = (over: Partial<MessageStructureObject> = {}): MessageStructureObject => ({
  type: 'text/plain',
  size: 5,
  ...over,
});

describe('toBodyStructure', () => {
  it('numbers a single part 1', () => {
    expect(toBodyStructure(text({ encoding: 'BASE64', id: '<a@b>' }))).toMatchObject({
      part: '1',
      encoding: 'base64',
      contentId: 'a@b',
      size: 5,
      children: [],
    });
  });

  it.each([
    [-1, 0],
    [1e30, Number.MAX_SAFE_INTEGER],
  ])('takes a size of %d for %d', (size, taken) => {
    expect(toBodyStructure(text({ size }))).toMatchObject({ size: taken });
  });

  it('numbers the parts of an attached message below it', () => {
    const single: MessageStructureObject = { type: 'message/rfc822', childNodes: [text()] };
    const mixed: MessageStructureObject = {
      type: 'message/rfc822',
      childNodes: [{ type: 'multipart/mixed', childNodes: [text(), text()] }],
    };
    const root = toBodyStructure({ type: 'multipart/mixed', childNodes: [text(), single, mixed] });
    expect(root?.part).toBe('');
    expect(root?.children.map(({ part }) => part)).toEqual(['1', '2', '3']);
    expect(root?.children[1]?.children[0]?.part).toBe('2.1');
    expect(root?.children[2]?.children[0]?.part).toBe('3');
    expect(root?.children[2]?.children[0]?.children.map(({ part }) => part)).toEqual(['3.1', '3.2']);
  });

  it('keeps parameters with names that look like machinery', () => {
    const parameters = JSON.parse('{"__proto__": "x", "NAME": "a.pdf"}') as Record<string, string>;
    const structure = toBodyStructure(text({ parameters }));
    expect([...(structure?.parameters ?? [])]).toEqual([
      ['__proto__', 'x'],
      ['name', 'a.pdf'],
    ]);
  });

  it('gives up on more parts than anybody has use for', () => {
    const childNodes = Array.from({ length: 20_000 }, () => text());
    expect(toBodyStructure({ type: 'multipart/mixed', childNodes })).toBeNull();
    expect(toBodyStructure(undefined)).toBeNull();
  });
});
