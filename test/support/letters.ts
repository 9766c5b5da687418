/** What a test says about a message; the rest is made up. */
export interface Letter {
  /** Becomes the Message-ID, and the subject unless there is one. Letters, digits and dashes. */
  readonly name: string;
  readonly subject?: string;
  readonly from?: string;
  readonly to?: string;
  readonly date?: Date;
  /** More header lines, without line ends. */
  readonly headers?: readonly string[];
  readonly text?: string;
}

/** A message as it goes over the wire, with CRLF line ends. */
export function letter({ name, subject = name, headers = [], ...rest }: Letter): string {
  const { from = 'Ben <ben@example.net>', to = 'ada@example.com', date = new Date(), text = `About ${name}.` } = rest;
  return [
    `Message-ID: ${messageId(name)}`,
    `Date: ${date.toUTCString()}`,
    `From: ${from}`,
    `To: ${to}`,
    `Subject: ${subject}`,
    ...headers,
    '',
    text,
    '',
  ].join('\r\n');
}

export const messageId = (name: string): string => `<${name}@mail.example>`;

/** A report that a message did not reach bob@example.net, as mail servers send it. @param returned its Message-ID */
export const bounce = (name: string, returned: string): string =>
  letter({
    name,
    headers: ['MIME-Version: 1.0', 'Content-Type: multipart/report; report-type=delivery-status; boundary=B0'],
    text: [
      '--B0\r\nContent-Type: text/plain\r\n\r\nSorry.',
      '--B0\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org',
      '\r\nFinal-Recipient: rfc822; bob@example.net\r\nAction: failed\r\nStatus: 5.1.1',
      'Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n',
      `--B0\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: ${returned}\r\n`,
      '--B0--\r\n',
    ].join('\r\n'),
  });

/** The headers that make a letter an answer to another. */
export const answering = (name: string): string[] => [
  `In-Reply-To: ${messageId(name)}`,
  `References: ${messageId(name)}`,
];
