import { parseWhole } from './parse-message.js';

const reportOf = (text: string) => parseWhole(Buffer.from(text.replaceAll('\n', '\r\n'))).report;

const bounce = (status: string, returned: string, type = 'text/rfc822-headers') => `From: MAILER-DAEMON@mx.example.org
To: ada@example.com
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary="B0"
MIME-Version: 1.0

--B0
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--B0
Content-Description: Delivery report
Content-Type: message/delivery-status

${status}
--B0
Content-Type: ${type}

${returned}

--B0--
`;

const RETURNED = `Return-Path: <ada@example.com>
Message-ID: <0mwqdfz1k40a7c2m8x5p9q3rt-0@example.com>
From: ada@example.com
Subject: Hello`;

describe('reports of failed deliveries', () => {
  it('are read as Postfix writes them', () => {
    const status = `Reporting-MTA: dns; mx.example.org
X-Postfix-Queue-ID: 4F1B22A0C3
X-Postfix-Sender: rfc822; ada@example.com
Arrival-Date: Sun, 22 Nov 2026 00:44:41 +0000 (UTC)

Final-Recipient: rfc822; bob@forwarded.example
Original-Recipient: rfc822;bob@example.net
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.net
Diagnostic-Code: smtp; 550 5.1.1 <bob@example.net>: Recipient address rejected:
    User unknown in virtual mailbox table

Final-Recipient: rfc822; carol@example.net
Action: delayed
Status: 4.4.1
Diagnostic-Code: X-Postfix; connect to mx.example.net[192.0.2.1]:25: Connection timed out
`;
    expect(reportOf(bounce(status, RETURNED))).toEqual({
      originalIds: ['0mwqdfz1k40a7c2m8x5p9q3rt-0@example.com'],
      failures: [
        {
          recipient: 'bob@example.net',
          status: '5.1.1',
          diagnostic: '550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown in virtual mailbox table',
        },
      ],
    });
  });

  it('are read as Exim writes them', () => {
    const status = `Reporting-MTA: dns; mail.example.org

Action: failed
Final-Recipient: rfc822;dave@example.net
Status: 5.0.0
Remote-MTA: dns; mx.example.net
Diagnostic-Code: smtp; 550-Verification failed for <ada@example.com>
 550 Sender verify failed
`;
    expect(reportOf(bounce(status, `${RETURNED}\n\nThe text.`, 'message/rfc822'))?.failures).toEqual([
      {
        recipient: 'dave@example.net',
        status: '5.0.0',
        diagnostic: '550-Verification failed for <ada@example.com> 550 Sender verify failed',
      },
    ]);
  });

  it('are read as Exchange writes them', () => {
    const status = `Reporting-MTA: dns;AM0PR01MB1234.eurprd01.prod.exchangelabs.com
Received-From-MTA: dns;DB7PR01MB5678.eurprd01.prod.exchangelabs.com
Arrival-Date: Sun, 22 Nov 2026 00:44:41 +0000
Original-Envelope-Id: <envelope@example.com>

Final-Recipient: rfc822;eve@example.net
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient eve@example.net not found by SMTP address lookup
X-Display-Name: Eve
`;
    expect(reportOf(bounce(status, RETURNED, 'message/rfc822'))).toEqual({
      originalIds: ['0mwqdfz1k40a7c2m8x5p9q3rt-0@example.com', 'envelope@example.com'],
      failures: [
        {
          recipient: 'eve@example.net',
          status: '5.1.10',
          diagnostic:
            '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient eve@example.net not found by SMTP address lookup',
        },
      ],
    });
  });

  it('are read as Gmail writes them, wherever they stand in the message', () => {
    const status = `Reporting-MTA: dns; googlemail.com
Arrival-Date: Sat, 21 Nov 2026 16:44:41 -0800 (PST)
X-Original-Message-ID: <0mwqdfz1k40a7c2m8x5p9q3rt-0@example.com>

Final-Recipient: rfc822; nobody@gmail.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; gmail-smtp-in.l.google.com. (2a00:1450:4025:c03::1a, the server for the domain gmail.example.)
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try
 550-5.1.1 double-checking the recipient's email address for typos or
 550 5.1.1 unnecessary spaces.
Last-Attempt-Date: Sat, 21 Nov 2026 16:44:42 -0800 (PST)
`;
    const plain = bounce(status, RETURNED, 'message/rfc822');
    const wrapped = `Content-Type: multipart/mixed; boundary=Outer\n\n--Outer\n${plain}\n--Outer--\n`;
    const expected = {
      originalIds: ['0mwqdfz1k40a7c2m8x5p9q3rt-0@example.com'],
      failures: [expect.objectContaining({ recipient: 'nobody@gmail.example', status: '5.1.1' })],
    };
    expect(reportOf(plain)).toEqual(expected);
    expect(reportOf(wrapped)).toEqual(expected);
  });

  it.each([
    ['of a delay', 'Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b.example\nAction: delayed\nStatus: 4.4.1\n'],
    ['of success', 'Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b.example\nAction: delivered\nStatus: 2.0.0\n'],
    ['without recipients', 'Reporting-MTA: dns; x\n'],
    ['with nonsense', 'failed\n:\n\n::\n\nAction: failed\nFinal-Recipient: rfc822;\n'],
    ['with nothing', ''],
  ])('are none %s', (_what, status) => expect(reportOf(bounce(status, RETURNED))).toBeNull());

  it('name no more than so many recipients, and no more of what was said than fits', () => {
    const many = Array.from(
      { length: 500 },
      (_, number) =>
        `Final-Recipient: rfc822; r${number}@b.example\nAction: failed\nDiagnostic-Code: smtp; ${'x'.repeat(5000)}\n`,
    );
    const { failures = [] } =
      reportOf(bounce(`Reporting-MTA: dns; x\n\n${many.slice(0, 150).join('\n')}`, RETURNED)) ?? {};
    expect([failures.length <= 100, failures[0]?.diagnostic?.length, failures[0]?.status]).toEqual([true, 500, null]);
  });

  it('are nothing that only looks like one', () => {
    const text = bounce('Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b.example\nAction: failed\n', RETURNED);
    expect(reportOf(text.replace('multipart/report', 'multipart/mixed'))).toBeNull();
  });
});
