import { compose, type Letter } from './compose.js';

export interface SampleMessage {
  /** As Maildir++ spells it: '' is the inbox, `.Sent` a folder, modified UTF-7 for other letters (RFC 3501 5.1.3). */
  readonly folder: string;
  /** Maildir flags: S seen, F flagged, R replied, D draft. */
  readonly flags: string;
  readonly date: Date;
  readonly raw: Buffer;
}

const OWNER = 'Robin Marlow <demo@example.com>';
const INES = 'Inès Carvalho <ines@harbour.example>';
const TOMASZ = 'Tomasz Wójcik <tomasz@harbour.example>';
const AKIKO = '佐藤 明子 <akiko@tsubame.example>';
const SHOP = 'Paper & Ink <orders@paperandink.example>';

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);
const CSV = Buffer.from('berth,length_m,free_from\nA1,12,2026-03-01\nA2,9,2026-04-15\nB7,18,2026-02-10\n');
const CALENDAR = Buffer.from(
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Postrider//Demo//EN',
    'METHOD:REQUEST',
    'BEGIN:VEVENT',
    'UID:harbour-walk@sample.example',
    'DTSTAMP:20260105T080000Z',
    'DTSTART:20260120T090000Z',
    'DTEND:20260120T100000Z',
    'SUMMARY:Walk along the north pier',
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n'),
);
const PDF = Buffer.from(
  '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n' +
    '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n',
);

type Sample = Omit<Letter, 'id' | 'date' | 'to'> & {
  readonly id: string;
  readonly to?: string;
  readonly folder?: string;
  readonly flags?: string;
  /** How long before now it was sent. */
  readonly hoursAgo: number;
};

const conversations: readonly Sample[] = [
  {
    id: 'berths-1',
    hoursAgo: 300,
    flags: 'SR',
    from: INES,
    subject: 'Berths for the spring',
    text: 'Hello Robin,\n\nwe have three berths free from March. Shall I send the list?\n\nInès',
  },
  {
    id: 'berths-2',
    hoursAgo: 298,
    folder: '.Sent',
    flags: 'S',
    from: OWNER,
    to: INES,
    subject: 'Re: Berths for the spring',
    after: ['berths-1'],
    text: 'Yes please. The shorter the better, our boat is nine metres.\n\nRobin',
  },
  {
    id: 'berths-3',
    hoursAgo: 290,
    flags: 'SF',
    from: INES,
    cc: TOMASZ,
    subject: 'Re: Berths for the spring',
    after: ['berths-1', 'berths-2'],
    text: 'Here it is. A2 would fit.',
    attachments: [{ name: 'berths.csv', type: 'text/csv', content: CSV }],
  },
  {
    id: 'berths-4',
    hoursAgo: 26,
    flags: '',
    from: TOMASZ,
    cc: INES,
    subject: 'Re: Berths for the spring',
    after: ['berths-1', 'berths-2', 'berths-3'],
    text: 'A2 needs a new cleat, ready by the end of the month.\n\n> Here it is. A2 would fit.',
  },
  {
    id: 'walk-1',
    hoursAgo: 50,
    flags: 'S',
    from: TOMASZ,
    subject: 'Invitation: Walk along the north pier',
    text: 'Tuesday, 9:00. Bring boots.',
    attachments: [{ name: 'invite.ics', type: 'text/calendar; method=REQUEST; charset=utf-8', content: CALENDAR }],
  },
  {
    id: 'walk-2',
    hoursAgo: 48,
    folder: '.Sent',
    flags: 'S',
    from: OWNER,
    to: TOMASZ,
    subject: 'Re: Invitation: Walk along the north pier',
    after: ['walk-1'],
    text: 'I will be there.',
  },
  {
    id: 'order-1',
    hoursAgo: 120,
    flags: 'S',
    from: SHOP,
    subject: 'Your order 4711',
    text: 'Thank you for your order: 2 notebooks, 1 bottle of blue ink.',
    html: '<p>Thank you for your order:</p><ul><li>2 notebooks</li><li>1 bottle of <b>blue</b> ink</li></ul>',
  },
  {
    id: 'order-2',
    hoursAgo: 96,
    flags: 'S',
    from: SHOP,
    subject: 'Your order 4711 is on its way',
    after: ['order-1'],
    text: 'It should arrive in two days.',
    html: '<p>It should arrive in <em>two days</em>.</p><img src="cid:parcel">',
    attachments: [{ name: 'parcel.png', type: 'image/png', content: PIXEL, contentId: 'parcel' }],
  },
  {
    id: 'order-3',
    hoursAgo: 95,
    flags: 'S',
    from: SHOP,
    subject: 'Invoice for order 4711',
    text: 'The invoice is attached.',
    attachments: [{ name: 'Rechnung für März.pdf', type: 'application/pdf', content: PDF }],
  },
  {
    id: 'tea-1',
    hoursAgo: 70,
    flags: 'SR',
    from: AKIKO,
    subject: '新茶のご案内',
    text: 'ロビン様\n\n今年の新茶が届きました。お送りしましょうか。\n\n佐藤',
  },
  {
    id: 'tea-2',
    hoursAgo: 69,
    folder: '.Sent',
    flags: 'S',
    from: OWNER,
    to: AKIKO,
    subject: 'Re: 新茶のご案内',
    after: ['tea-1'],
    text: 'Two packets please, and thank you! 🍵',
  },
  {
    id: 'tea-3',
    hoursAgo: 5,
    flags: '',
    from: AKIKO,
    subject: 'Re: 新茶のご案内',
    after: ['tea-1', 'tea-2'],
    text: '発送しました。',
  },
];

const single: readonly Sample[] = [
  {
    id: 'latin',
    hoursAgo: 200,
    flags: 'S',
    from: 'Jürgen Groß <juergen@werft.example>',
    subject: 'Grüße aus der Werft',
    text: '',
    encoded: {
      charset: 'iso-8859-1',
      subject: '=?iso-8859-1?Q?Gr=FC=DFe_aus_der_Werft?=',
      bytes: Buffer.from('Schöne Grüße, das Boot ist gestrichen.\n', 'latin1'),
    },
  },
  {
    id: 'cyrillic',
    hoursAgo: 180,
    flags: 'S',
    from: 'Olga <olga@lavka.example>',
    subject: 'Привет',
    text: '',
    encoded: {
      charset: 'koi8-r',
      subject: '=?koi8-r?B?8NLJ18XU?=',
      bytes: Buffer.from([0xf0, 0xd2, 0xc9, 0xd7, 0xc5, 0xd4, 0x21, 0x0a]),
    },
  },
  {
    id: 'jis',
    hoursAgo: 160,
    flags: 'S',
    from: 'tea@tsubame.example',
    subject: 'お知らせ',
    text: '',
    encoded: {
      charset: 'iso-2022-jp',
      subject: '=?iso-2022-jp?B?GyRCJCpDTiRpJDsbKEI=?=',
      bytes: Buffer.from('GyRCJCpDTiRpJDsbKEIK', 'base64'),
    },
  },
  {
    id: 'newsletter',
    hoursAgo: 30,
    flags: '',
    from: 'Tide Tables Weekly <news@tides.example>',
    subject: 'High water this week',
    text: 'Monday 06:12 and 18:40 …',
    html: '<h1>High water</h1><table><tr><td>Monday</td><td>06:12</td><td>18:40</td></tr></table>',
    headers: ['List-Unsubscribe: <https://tides.example/leave>', 'Precedence: bulk'],
  },
  {
    id: 'html-only',
    hoursAgo: 12,
    flags: '',
    from: 'bank@coins.example',
    subject: 'Your statement is ready',
    text: 'Your statement is ready.',
    html: '<html><body><p style="color:#333">Your statement is ready. <a href="https://coins.example">Sign in</a> to read it.</p></body></html>',
  },
  {
    id: 'no-subject',
    hoursAgo: 9,
    flags: '',
    from: 'Lou <lou@example.net>',
    subject: '',
    text: 'Forgot the subject, sorry. Dinner on Friday?',
  },
  {
    id: 'photos',
    hoursAgo: 3,
    flags: 'F',
    from: 'Lou <lou@example.net>',
    subject: 'Photos from the island',
    text: 'Three of the best.',
    attachments: ['lighthouse.png', 'gulls.png', 'the long way home.png'].map((name) => ({
      name,
      type: 'image/png',
      content: PIXEL,
    })),
  },
  {
    id: 'many',
    hoursAgo: 2,
    flags: '',
    from: TOMASZ,
    to: `${OWNER}, ${INES}, ${AKIKO}, Lou <lou@example.net>`,
    subject: 'Regatta: who brings what?',
    text: 'I have the marks and the horn. Who has the flags?',
  },
  {
    id: 'draft',
    hoursAgo: 1,
    folder: '.Drafts',
    flags: 'DS',
    from: OWNER,
    to: TOMASZ,
    subject: 'Re: Regatta: who brings what?',
    after: ['many'],
    text: 'I can bring the flags and',
  },
  {
    id: 'bin',
    hoursAgo: 90,
    folder: '.Trash',
    flags: 'S',
    from: 'prize@lucky.example',
    subject: 'You have won',
    text: 'Click here.',
  },
  {
    id: 'spam',
    hoursAgo: 80,
    folder: '.Junk',
    flags: '',
    from: 'pills@lucky.example',
    subject: 'B u y  n o w',
    text: 'Cheap.',
  },
  {
    id: 'zurich-1',
    hoursAgo: 500,
    folder: '.Reise Z&APw-rich',
    flags: 'S',
    from: 'Hotel Limmat <post@limmat.example>',
    subject: 'Ihre Buchung',
    text: 'Zwei Nächte, Zimmer mit Blick auf den Fluss.',
  },
  {
    id: 'zurich-2',
    hoursAgo: 490,
    folder: '.Reise Z&APw-rich',
    flags: 'S',
    from: 'Bahn <tickets@bahn.example>',
    subject: 'Ihre Fahrkarte',
    text: 'Abfahrt 08:34, Gleis 7.',
    attachments: [{ name: 'Fahrkarte.pdf', type: 'application/pdf', content: PDF }],
  },
];

/** A year of short notes in the archive, so that lists have a second page. */
const archive: readonly Sample[] = Array.from({ length: 10 }, (_, index) => ({
  id: `log-${index + 1}`,
  hoursAgo: 700 + index * 720,
  folder: index % 2 ? '.Projects.Harbour' : '.Archive',
  flags: 'S',
  from: index % 3 ? INES : TOMASZ,
  subject: `Harbour log, week ${52 - index * 4}`,
  text: `Wind from the west, force ${2 + (index % 5)}. ${3 + index} boats in, ${1 + (index % 4)} out.`,
}));

/** About three dozen messages in several folders: conversations, attachments, HTML, other charsets, a draft. */
export function sampleMail(now: Date): SampleMessage[] {
  return [...conversations, ...single, ...archive].map(
    ({ folder = '', flags = '', hoursAgo, to = OWNER, ...letter }) => {
      const date = new Date(now.getTime() - hoursAgo * 3_600_000);
      return { folder, flags, date, raw: compose({ ...letter, to, date }) };
    },
  );
}
