import { parseAddressList } from './address-list.js';
import { parseDateHeader } from './date-header.js';
import { decodeHeaderText } from './encoded-words.js';
import { parseMessageId, parseMessageIds } from './message-ids.js';

describe('parseAddressList', () => {
  it.each([
    ['a@x.org', [['', 'a@x.org']]],
    ['A B <a@x.org>', [['A B', 'a@x.org']]],
    [
      '"B, A" <a@x.org>, <b@x.org>',
      [
        ['B, A', 'a@x.org'],
        ['', 'b@x.org'],
      ],
    ],
    ['A <a@x.org', [['A', 'a@x.org']]],
    ['A a@x.org', [['A', 'a@x.org']]],
    [
      'a@x.org; b@x.org',
      [
        ['', 'a@x.org'],
        ['', 'b@x.org'],
      ],
    ],
    [
      'Team: a@x.org, B <b@x.org>;, c@x.org',
      [
        ['', 'a@x.org'],
        ['B', 'b@x.org'],
        ['', 'c@x.org'],
      ],
    ],
    ['undisclosed-recipients:;', []],
    ['a@x.org (Ann (really))', [['Ann (really)', 'a@x.org']]],
    ['<@relay.org,@b.org:a@x.org>', [['', 'a@x.org']]],
    ['=?utf-8?Q?D=2C_J?= <a@x.org>', [['D, J', 'a@x.org']]],
    ['=?utf-8?Q?D,_J?= <a@x.org>', [['D, J', 'a@x.org']]],
    ['"=?utf-8?Q?D=2C_J?=" <a@x.org>', [['D, J', 'a@x.org']]],
    [
      'A <a@x.org> rubbish, b@x.org',
      [
        ['A rubbish', 'a@x.org'],
        ['', 'b@x.org'],
      ],
    ],
    [
      'a@x.org, a@x.org, A <a@x.org>',
      [
        ['', 'a@x.org'],
        ['A', 'a@x.org'],
      ],
    ],
    ['"odd local"@x.org', [['', '"odd local"@x.org']]],
    ['MAILER-DAEMON', [['MAILER-DAEMON', '']]],
    ['"J\\"D\\" <a@x.org>', [['J\\D\\', 'a@x.org']]],
    [',,;', []],
  ])('%s', (value, expected) => {
    const { list } = parseAddressList([value], 100);
    expect(list.map(({ name, email }) => [name, email])).toEqual(expected);
  });

  it('merges occurrences in order and stops at the limit', () => {
    expect(parseAddressList(['b@x, a@x', 'c@x, a@x'], 100).list.map(({ email }) => email)).toEqual([
      'b@x',
      'a@x',
      'c@x',
    ]);
    expect(parseAddressList(['a@x, b@x, c@x'], 2)).toMatchObject({
      cut: true,
      list: [{ email: 'a@x' }, { email: 'b@x' }],
    });
  });
});

describe('parseDateHeader', () => {
  it.each([
    ['Mon, 2 Jan 2023 15:04:05 +0100', '2023-01-02T14:04:05.000Z'],
    ['2 Jan 23 15:04 EST', '2023-01-02T20:04:00.000Z'],
    ['Mon, 02 Jan 2023 15:04:05 GMT (x)', '2023-01-02T15:04:05.000Z'],
    ['Tue, 5 Feb 99 01:02:03 PDT', '1999-02-05T08:02:03.000Z'],
    ['Mon Jan  2 15:04:05 2023', '2023-01-02T15:04:05.000Z'],
    ['2-Jan-2023 15.04.05 -0330', '2023-01-02T18:34:05.000Z'],
    ['2023-01-02T15:04:05.123Z', '2023-01-02T15:04:05.000Z'],
    ['Mon, 2 Jan 2023 03:04:05 PM', '2023-01-02T15:04:05.000Z'],
    ['Mon, 2 Jan 2023', '2023-01-02T00:00:00.000Z'],
    ['Mon, 2 Jan 1960 15:04:05 +0000', undefined],
    ['Mon, 2 Jan 2150 15:04:05 +0000', undefined],
    ['yesterday', undefined],
    ['', undefined],
  ])('%s', (value, expected) => {
    expect(parseDateHeader(value)?.toISOString()).toBe(expected);
  });
});

describe('parseMessageIds', () => {
  it.each([
    ['<a@x> <b@x>\t<a@x>', ['a@x', 'b@x']],
    ['a@x b@x', ['a@x', 'b@x']],
    ['Your message of Monday <a@x> (was <b@x>)', ['a@x']],
    ['<a@\t x>', ['a@x']],
    ['<a@x', ['a@x']],
    ['nothing here', []],
  ])('%s', (value, expected) => expect(parseMessageIds([value])).toEqual(expected));

  it('takes a Message-ID as it is', () => {
    expect(parseMessageId('<no-at-sign>')).toBe('no-at-sign');
    expect(parseMessageId('')).toBeNull();
  });
});

describe('decodeHeaderText', () => {
  it.each([
    ['=?utf-8?B?w6Q?=', 'ä'],
    ['=?utf-8?B?w6?= =?utf-8?B?Q=?=', 'ä'],
    ['=?iso-2022-jp?B?GyRCRUUbKEI=?= =?iso-2022-jp?B?GyRCO1IbKEI=?=', '電子'],
    ['=?utf-8?Q?a b?= c', 'a b c'],
    ['=?utf-8?Q?50%=?=', '50%='],
    ['=?x-none?Q?=C3=A4?=', 'ä'],
    ['caf\xe9', 'café'],
    ['=?broken', '=?broken'],
  ])('%s', (raw, expected) => expect(decodeHeaderText(raw)).toBe(expected));
});
