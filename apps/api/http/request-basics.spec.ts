import { plainPath } from './request-basics.js';

describe('plainPath', () => {
  it.each([
    ['/threads', '/threads'],
    ['//threads', '/threads'],
    ['//n//x///threads/', '/n/x/threads/'],
    ['/threads?subject=a//b', '/threads?subject=a//b'],
    ['http://api.example:5555//threads?subject=http://x', '/threads?subject=http://x'],
    ['https://api.example', '/'],
    ['https://api.example?limit=1', '/?limit=1'],
    ['//threads?subject=a//b?c', '/threads?subject=a//b?c'],
  ])('%s becomes %s', (given, expected) => {
    expect(plainPath(given)).toBe(expected);
  });
});
