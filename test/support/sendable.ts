/** Body of POST /send, and of a draft. */
export const letterTo = (...emails: string[]) => ({
  subject: 'Hello',
  body: '<p>Hello, <b>you</b>.</p>',
  to: emails.map((email) => ({ email })),
});

/** What servers refuse, with which words, and what the caller is told. */
export const refusals: readonly (readonly [
  what: string,
  script: Readonly<Record<string, string>>,
  status: number,
  message: string,
])[] = [
  ['all recipients', { 'RCPT a@example.com': '550 5.1.1 nobody here' }, 402, 'Sending to all recipients failed'],
  ['the sender', { MAIL: '553 5.7.1 not yours' }, 402, 'The sender address was rejected.'],
  ['the content', { '.': '552 5.7.0 looks bad' }, 402, 'rejected for its content'],
  ['the pace', { '.': '421 4.7.0 slow down' }, 429, 'blocked for now'],
  ['the password', { AUTH: '535 5.7.8 wrong' }, 403, 'Could not authenticate with the SMTP server.'],
  ['the size', { EHLO: '250-test\r\n250-SIZE 100\r\n250 AUTH PLAIN' }, 402, 'the server takes at most 100'],
  ['for reasons of its own', { DATA: '571 7.7.7 what' }, 503, 'Sending failed'],
  ['by hanging up', { DATA: 'hang-up' }, 503, 'The server unexpectedly closed the connection'],
];

/** What is refused before any server hears of it. */
export const unsendable: readonly (readonly [body: object, status: number, message: string])[] = [
  [{ subject: 'x' }, 400, 'No recipients specified'],
  [letterTo('nonsense'), 400, 'Invalid recipient address nonsense'],
  [{ ...letterTo('a@example.com'), subject: 'x\r\nBcc: b@x' }, 400, 'must not contain line breaks'],
  [{ ...letterTo('a@example.com'), file_ids: ['0'.repeat(25)] }, 404, "Couldn't find file"],
  [{ ...letterTo('a@example.com'), file_ids: ['x-y'] }, 400, 'Invalid block public id x-y'],
  [{ ...letterTo('a@example.com'), from: [{ email: 'a>b@c' }] }, 400, 'Invalid sender address'],
  [{ draft_id: '0'.repeat(25), version: 0 }, 404, "Couldn't find draft"],
  [{ draft_id: '0'.repeat(25) }, 400, 'Must specify draft version'],
];
