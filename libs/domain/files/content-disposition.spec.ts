import { contentDisposition } from './content-disposition.js';

describe('contentDisposition', () => {
  it.each([
    ['walter.jpg', 'image/jpeg', 'attachment; filename="walter.jpg"'],
    ['Résumé.pdf', 'application/pdf', `attachment; filename="R_sum_.pdf"; filename*=UTF-8''R%C3%A9sum%C3%A9.pdf`],
    ['a"b\\c/d.txt', 'text/plain', `attachment; filename="a_b_c_d.txt"; filename*=UTF-8''a%22b%5Cc%2Fd.txt`],
    ["it's (1)*.txt", 'text/plain', `attachment; filename="it's (1)*.txt"`],
    ['x\r\nSet-Cookie: a', 'text/plain', 'attachment; filename="xSet-Cookie: a"'],
    [null, 'image/png', 'attachment; filename="attachment.png"'],
    ['', 'audio/x-unheard-of', 'attachment; filename="attachment.audio"'],
    [null, '', 'attachment; filename="attachment.bin"'],
  ])('%j of type %s', (filename, type, expected) => {
    expect(contentDisposition(filename, type)).toBe(expected);
  });

  it('survives half a surrogate pair', () => {
    expect(contentDisposition('a\ud800.txt', 'text/plain')).toContain('filename="a_.txt"');
  });
});
