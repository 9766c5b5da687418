import { quirksOf } from './server-quirks.js';

const ordinary = { idleMs: 540_000, poll: 'noop', pollMs: 30_000 };

describe('quirksOf', () => {
  it.each([
    ['imap.mail.yahoo.com', '', { idleMs: 180_000 }],
    ['imap.aol.com', '', { idleMs: 180_000 }],
    ['mail.example', 'Y!IMAP Yahoo! Inc.', { idleMs: 180_000 }],
    ['imap.rambler.ru', '', { idleMs: 55_000 }],
    ['IMAP.163.COM', '', { poll: 'status', pollMs: 55_000 }],
    ['mail.example.cn', 'Coremail Imap', { poll: 'status', pollMs: 55_000 }],
    ['imap.naver.com', '', { poll: 'examine', pollMs: 55_000 }],
    ['imap.example.com', 'Dovecot', {}],
    ['notnaver.com', '', {}],
    ['naver.com.example', '', {}],
  ])('%s, which calls itself "%s"', (host, id, quirks) => {
    expect(quirksOf({ host, id })).toEqual({ ...ordinary, ...quirks });
  });

  it('gives way to what the caller wants', () => {
    expect(quirksOf({ host: 'imap.rambler.ru', id: '' }, { pollMs: 5 })).toEqual({
      idleMs: 55_000,
      poll: 'noop',
      pollMs: 5,
    });
  });
});
