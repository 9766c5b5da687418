import { withoutBcc } from './without-bcc.js';

const stripped = (text: string) => withoutBcc(Buffer.from(text)).toString();

describe('withoutBcc', () => {
  it.each([
    [
      'a plain one',
      'To: a@x\r\nBcc: b@x\r\nSubject: s\r\n\r\nBcc: stays\r\n',
      'To: a@x\r\nSubject: s\r\n\r\nBcc: stays\r\n',
    ],
    ['a folded one', 'BCC: b@x,\r\n\tc@x,\r\n d@x\r\nTo: a@x\r\n\r\n', 'To: a@x\r\n\r\n'],
    ['the first and the last', 'bcc: b@x\nTo: a@x\nBcc :c@x\n d@x\n\nbody', 'To: a@x\n\nbody'],
    ['one with much space', `Bcc${' '.repeat(40)}: b@x\r\nTo: a@x\r\n\r\n`, 'To: a@x\r\n\r\n'],
    ['resent ones', 'Resent-Bcc: b@x\r\nTo: a@x\r\n\r\n', 'To: a@x\r\n\r\n'],
    ['digests of drafts', 'X-Postrider-Draft: 1f\r\nTo: a@x\r\n\r\n', 'To: a@x\r\n\r\n'],
    ['nothing else', 'X-Bcc: b@x\r\nTo: a@x,\r\n Bcc: <c@x>\r\n\r\n', 'X-Bcc: b@x\r\nTo: a@x,\r\n Bcc: <c@x>\r\n\r\n'],
    ['a header without body', 'To: a@x\r\nBcc: b@x', 'To: a@x\r\n'],
  ])('takes out %s', (_what, given, expected) => expect(stripped(given)).toBe(expected));
});
