import { withoutDoubledSlashes } from './request-basics.js';

describe('withoutDoubledSlashes', () => {
  it.each([
    ['/threads', '/threads'],
    ['//threads', '/threads'],
    ['//n//x///threads/', '/n/x/threads/'],
    ['/threads?subject=a//b', '/threads?subject=a//b'],
    ['//threads?subject=a//b?c', '/threads?subject=a//b?c'],
  ])('%s becomes %s', (given, expected) => {
    expect(withoutDoubledSlashes(given)).toBe(expected);
  });
});
