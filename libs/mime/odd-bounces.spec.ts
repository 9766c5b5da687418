import { parseWhole } from './parse-message.js';

const reportOf = (text: string) => parseWhole(Buffer.from(text.replaceAll('\n', '\r\n'))).report;

const ID = '0mwqdfz1k40a7c2m8x5p9q3rt-0@example.com';
const RETURNED = `Return-Path: <ada@example.com>
Received: (qmail 12345 invoked from network); 22 Nov 2026 00:44:41 -0000
Message-ID: <${ID}>
From: ada@example.com
To: bob@example.net
Subject: Hello

The text.
`;

const QMAIL = `Return-Path: <>
From: MAILER-DAEMON@mx.example.org
To: ada@example.com
Subject: failure notice

Hi. This is the qmail-send program at mx.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<bob@example.net>:
192.0.2.1 does not like recipient.
Remote host said: 550 5.1.1 <bob@example.net>: User unknown
Giving up on 192.0.2.1.

<carol@example.net>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

${RETURNED}`;

const EXIM = `X-Failed-Recipients: bob@example.net
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mail.example.org>
To: ada@example.com
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  bob@example.net
    SMTP error from remote mail server after RCPT TO:<bob@example.net>:
    host mx.example.net [192.0.2.1]: 550 5.1.1 User unknown

------ This is a copy of the message, including all the headers. ------

${RETURNED}`;

const EXCHANGE = `From: "Microsoft Outlook" <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.org>
To: ada@example.com
Subject: Undeliverable: Hello
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="B0"

--B0
Content-Type: multipart/alternative; boundary="B1"

--B1
Content-Type: text/plain; charset="us-ascii"

Delivery has failed to these recipients or groups:

Bob (bob@example.net)<mailto:bob@example.net>
The e-mail address you entered couldn't be found.

Diagnostic information for administrators:

Generating server: EX01.example.org

bob@example.net
Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found'

--B1
Content-Type: text/html; charset="us-ascii"

<p>Delivery has failed to these recipients or groups:</p>
--B1--
--B0
Content-Type: message/rfc822

${RETURNED}
--B0--
`;

describe('reports of failed deliveries in words', () => {
  it.each([
    [
      'qmail',
      QMAIL,
      [
        {
          recipient: 'bob@example.net',
          status: '5.1.1',
          diagnostic: expect.stringMatching(/^192\.0\.2\.1 does not like recipient\. .*User unknown Giving up/),
        },
        { recipient: 'carol@example.net', status: '5.1.1', diagnostic: expect.stringContaining('no mailbox here') },
      ],
    ],
    [
      'Exim',
      EXIM,
      [
        {
          recipient: 'bob@example.net',
          status: '5.1.1',
          diagnostic: expect.stringContaining('550 5.1.1 User unknown'),
        },
      ],
    ],
    [
      'Exchange',
      EXCHANGE,
      [{ recipient: 'bob@example.net', status: '5.1.10', diagnostic: expect.stringContaining('RecipientNotFound') }],
    ],
    [
      'Exchange, with the header only',
      EXCHANGE.replace('message/rfc822', 'text/rfc822-headers'),
      [expect.objectContaining({ recipient: 'bob@example.net' })],
    ],
  ])('are read as %s writes them', (_server, text, failures) => {
    expect(reportOf(text)).toEqual({ originalIds: [ID], failures });
  });

  const from = (text: string, sender: string): string =>
    text.replace(/^Return-Path: <>\n/, '').replace(/^From: .*$/m, `From: ${sender}`);
  const vacation = (more: string): string => `Return-Path: <>
From: bob@example.net
Auto-Submitted: auto-replied (vacation)
In-Reply-To: <${ID}>
Subject: Out of office

I am away. Your message could not be delivered to me.
${more}`;

  it.each([
    ['what a person forwards or answers: qmail', from(QMAIL, 'eve@example.com')],
    ['what a person forwards or answers: Exim', from(EXIM, 'eve@example.com')],
    ['what a person forwards or answers: Exchange', from(EXCHANGE, 'eve@example.com')],
    ['what begins with something else', QMAIL.replace('Hi. This', 'Look what I got:\n\nHi. This')],
    ['what tells nothing of the message: qmail', QMAIL.replace(/Message-ID: .*\n/, '')],
    ['what tells nothing of the message: Exchange', EXCHANGE.replace(/Message-ID: .*\n/, '')],
    ['what names the message before the copy only', QMAIL.replace('--- Below', 'Below')],
    ['a warning of a delay', EXIM.replace(/^X-Failed.*\n/, '')],
    ['an automatic answer', vacation(RETURNED)],
    ['an automatic answer with a copy', vacation(`--- Below this line is a copy of the message.\n\n${RETURNED}`)],
    ['an automatic answer of a postmaster', from(vacation(RETURNED), 'postmaster@example.net')],
  ])('are not seen in %s', (_what, text) => expect(reportOf(text)).toBeNull());
});
