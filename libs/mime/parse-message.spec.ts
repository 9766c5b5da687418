import { parseWhole } from './parse-message.js';
import type { ParsedMessage } from './parsed-message.js';

function parse(text: string): ParsedMessage {
  const source = Buffer.from(text.replace(/\r?\n/g, '\r\n'), 'latin1');
  return parseWhole(source);
}

describe('parseMessage', () => {
  it('reads a plain message', () => {
    const parsed = parse(`From: Ada <ada@example.com>
To: bob@example.com, "Doe, Jane" <jane@example.com>
Subject: =?utf-8?Q?Gr=C3=BC?= =?utf-8?Q?=C3=9Fe?=
Date: Mon, 2 Jan 2023 15:04:05 +0100
Message-ID: <1@example.com>

Hello & welcome
to https://example.com/a.

Bye
`);
    expect(parsed.headers).toEqual({
      messageIdHeader: '1@example.com',
      inReplyTo: null,
      references: [],
      subject: 'Grüße',
      from: [{ name: 'Ada', email: 'ada@example.com' }],
      to: [
        { name: '', email: 'bob@example.com' },
        { name: 'Doe, Jane', email: 'jane@example.com' },
      ],
      cc: [],
      bcc: [],
      replyTo: [],
      date: new Date('2023-01-02T14:04:05Z'),
      draftSeal: null,
    });
    expect(parsed.body).toBe(
      '<p>Hello &amp; welcome<br>\nto <a href="https://example.com/a">https://example.com/a</a>.</p>\n<p>Bye</p>',
    );
    expect(parsed).toMatchObject({
      snippet: 'Hello & welcome to https://example.com/a. Bye',
      files: [],
      state: 'complete',
      problem: null,
    });
  });

  it('prefers html, lists files, numbers parts as IMAP does', () => {
    const parsed = parse(`Content-Type: multipart/mixed; boundary=a

preamble
--a
Content-Type: multipart/alternative; boundary="b"

--b

plain
--b
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p>h=C3=A9llo</p>
--b--
--a
Content-Type: image/png; name="x.png"
Content-Transfer-Encoding: base64
Content-ID: <cid1>

AAEC
AwQ=
--a
Content-Type: message/rfc822

Subject: inner

inner text
--a--
`);
    expect(parsed.body).toBe('<p>héllo</p>');
    expect(parsed.files).toEqual([
      {
        part: '2',
        contentType: 'image/png',
        filename: 'x.png',
        size: 5,
        contentId: 'cid1',
        disposition: 'inline',
      },
      {
        part: '3',
        contentType: 'message/rfc822',
        filename: null,
        size: 28,
        contentId: null,
        disposition: 'attachment',
      },
    ]);
    expect(parsed.state).toBe('complete');
  });
});
