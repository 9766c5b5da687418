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

/** The headers that make a letter an answer to another. */
export const answering = (name: string): string[] => [
  `In-Reply-To: ${messageId(name)}`,
  `References: ${messageId(name)}`,
];
