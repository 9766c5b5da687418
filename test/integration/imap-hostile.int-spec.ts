import { text } from 'node:stream/consumers';

import type { FolderCursor, RemoteMessage } from '../../libs/providers/contracts/mail-driver.js';
import type { ProviderErrorKind } from '../../libs/providers/contracts/provider-error.js';
import { ImapMailDriver } from '../../libs/providers/imap/imap-mail.driver.js';
import { heldUp } from '../support/event-loop.mjs';
import { row, type Script, type ScriptedOptions, startScriptedImap } from '../support/scripted-imap.js';
import { collect, cursor, failing, limits, quick, ScriptedSession } from '../support/scripted-session.js';

const session = new ScriptedSession();
const signIn = session.signIn.bind(session);
const scripted = (script: Script) => signIn({ script });
const silent = (script: Script) => signIn({ script }, {}, quick);

afterEach(() => session.end());

describe('signing in', () => {
  it.each<[string, ProviderErrorKind]>([
    ['NO [AUTHENTICATIONFAILED] no', 'credentials'],
    ['NO [EXPIRED] change it', 'credentials'],
    ['NO LOGIN failed.', 'credentials'],
    ['NO [UNAVAILABLE] later', 'unavailable'],
    ['NO [LIMIT] too many of you', 'throttled'],
    ['NO [INUSE] wait', 'throttled'],
    ['NO Too many simultaneous connections', 'throttled'],
    ['NO Login failed, please try again later', 'throttled'],
    ['NO Internal error', 'unavailable'],
  ])('takes %s as %s', async (answer, kind) => {
    await expect(scripted([[/^LOGIN/, `TAG ${answer}\r\n`]])).rejects.toEqual(failing(kind));
  });

  it.each<[string, ScriptedOptions]>([
    ['greets with garbage', { greeting: '\0\x01 220 smtp here\r\n' }],
    ['greets with BYE', { greeting: '* BYE overloaded\r\n' }],
    ['says nothing', { greeting: '' }],
    ['never answers LOGIN', { script: [[/^LOGIN/, () => undefined]] }],
    ['hangs up on LOGIN', { script: [[/^LOGIN/, (_tag, _line, socket) => socket.destroy()]] }],
  ])('fails in time when the server %s', async (_what, options) => {
    await expect(signIn(options, {}, quick)).rejects.toEqual(failing('unavailable'));
  });

  it('refuses to send a password in clear when STARTTLS is wanted and not offered', async () => {
    await expect(signIn({}, { security: 'starttls' })).rejects.toEqual(failing('unavailable'));
    expect(session.received.join('\n')).not.toContain('LOGIN');
  });

  it('connects to no address the guard refuses', async () => {
    const server = (session.server = await startScriptedImap());
    const resolve = () => Promise.reject(new Error('not a public address'));
    const settings = {
      host: 'localhost',
      port: server.port,
      security: 'none',
      username: 'a',
      verifyCertificate: true,
    } as const;
    await expect(ImapMailDriver.open(settings, 'x', { resolve })).rejects.toEqual(failing('unavailable'));
    expect(server.received).toEqual([]);
  });

  it('connects to the address the guard gave, whatever the name says', async () => {
    const server = (session.server = await startScriptedImap());
    const resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    const settings = {
      host: 'mail.invalid',
      port: server.port,
      security: 'none',
      username: 'a',
      verifyCertificate: true,
    } as const;
    session.driver = await ImapMailDriver.open(settings, 'x', { resolve });
    expect((await session.driver.folders()).map(({ path }) => path)).toEqual(['INBOX']);
  });
});

describe('folders', () => {
  it('takes an empty LIST for a failure', async () => {
    const mail = await scripted([[/^LIST/, 'TAG OK done\r\n']]);
    await expect(mail.folders()).rejects.toEqual(failing('unavailable'));
  });

  it('finds the inbox however it is spelled, and leaves out what cannot be opened', async () => {
    const list = [
      '* LIST () "." Inbox',
      '* LIST (\\Noselect) "." Old',
      '* LIST (\\NonExistent) "." Gone',
      '* LIST () "." __proto__',
    ];
    const mail = await scripted([[/^LIST "" "?\*/, `${list.join('\r\n')}\r\nTAG OK done\r\n`]]);
    expect((await mail.folders()).map(({ path, role }) => [path, role])).toEqual([
      ['INBOX', 'inbox'],
      ['__proto__', null],
    ]);
  });

  it('says of a folder that is gone that it is not found', async () => {
    const mail = await scripted([
      [/^LIST "" Gone/, 'TAG OK done\r\n'],
      [/^EXAMINE/, 'TAG NO cannot\r\n'],
    ]);
    await expect(mail.uids('Gone')).rejects.toEqual(failing('not-found'));
  });

  it.each(['[SERVERBUG] Internal error occurred.', '[INUSE] Timeout while waiting for lock', 'cannot'])(
    'says of a folder that it cannot open now that others may be read: NO %s',
    async (text) => {
      const mail = await scripted([[/^EXAMINE/, `TAG NO ${text}\r\n`]]);
      await expect(mail.uids('INBOX')).rejects.toEqual(failing('folder-unavailable'));
    },
  );

  it.each([
    ['CREATE', (mail: ImapMailDriver) => mail.createFolder('New')],
    ['RENAME', (mail: ImapMailDriver) => mail.renameFolder('Old', 'New')],
    ['APPEND', (mail: ImapMailDriver) => mail.append('INBOX', Buffer.from('Subject: x\r\n\r\nx'), [], new Date())],
  ])('takes an internal error at %s for trouble of that folder alone', async (command, ask) => {
    const mail = await scripted([[new RegExp(`^${command}`), 'TAG NO [SERVERBUG] Internal error occurred.\r\n']]);
    await expect(ask(mail)).rejects.toEqual(failing('folder-unavailable'));
  });

  it('waits longer for a folder when the server says that it does, too, but not for ever', async () => {
    for (const words of [2, Infinity]) {
      const mail = await silent([
        [
          /^EXAMINE/,
          (tag, _line, socket) => {
            let said = 0;
            const timer = setInterval(() => {
              if (said++ < words) socket.write('* OK Hang in there..\r\n');
              else socket.write(`* 0 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 14] ok\r\n${tag} OK done\r\n`);
              if (said > words) clearInterval(timer);
            }, quick.stallMs * 0.8);
            socket.on('close', () => clearInterval(timer));
          },
        ],
      ]);
      const listed = mail.newest('INBOX', 0);
      if (words === Infinity) await expect(listed).rejects.toEqual(failing('folder-unavailable'));
      else expect((await listed).cursor.uidNext).toBe(14);
    }
  });

  it('says so, too, of a folder at which it falls silent', async () => {
    const mail = await silent([[/^EXAMINE/, () => {}]]);
    await expect(mail.uids('INBOX')).rejects.toEqual(failing('folder-unavailable'));
  });
});

describe('reading messages', () => {
  const read = (mail: ImapMailDriver, uids = [11, 12, 13]) => collect(mail.messages('INBOX', uids, limits));
  const uids = (messages: RemoteMessage[]) => messages.map(({ uid }) => uid);

  it('takes doubled, unordered and uncalled-for rows', async () => {
    const rows = [row(3, 13), row(1, 11), row(1, 11), row(9, 99), '* 2 FETCH (FLAGS (\\Seen))\r\n', row(2, 12)];
    const mail = await scripted([[/^UID FETCH/, `${rows.join('')}TAG OK done\r\n`]]);
    expect(uids(await read(mail))).toEqual([13, 11, 12]);
  });

  it('keeps a message whose FLAGS are missing, with flags unknown', async () => {
    const mail = await scripted([[/^UID FETCH/, `${row(1, 11, '')}TAG OK done\r\n`]]);
    expect(await read(mail, [11])).toEqual([expect.objectContaining({ uid: 11, flags: null, complete: true })]);
  });

  it('keeps a message whose source is missing', async () => {
    const mail = await scripted([
      [/^UID FETCH .*BODYSTRUCTURE/, 'TAG NO not today\r\n'],
      [/^UID FETCH/, '* 1 FETCH (UID 11 FLAGS (\\Recent \\Seen) RFC822.SIZE 20)\r\nTAG OK done\r\n'],
    ]);
    expect(await read(mail, [11])).toEqual([
      expect.objectContaining({ uid: 11, flags: ['\\Seen'], complete: false, structure: null, receivedAt: null }),
    ]);
  });

  it('tells nothing of a message that is said to have no source: it was deleted meanwhile', async () => {
    const nil = '* 2 FETCH (UID 12 FLAGS () RFC822.SIZE 20 BODY[]<0> NIL)\r\n';
    const mail = await scripted([[/^UID FETCH/, `${row(1, 11)}${nil}${row(3, 13)}TAG OK done\r\n`]]);
    expect(uids(await read(mail))).toEqual([11, 13]);
  });

  it('fails when the connection drops in the middle of a row', async () => {
    const mail = await scripted([
      [/^UID FETCH/, (_tag, _line, socket) => void socket.end(`${row(1, 11)}* 2 FETCH (UID 12 BODY[] {500}\r\nSubj`)],
    ]);
    await expect(read(mail)).rejects.toEqual(failing('unavailable'));
  });

  it('fails in time when the server falls silent in the middle of a row', async () => {
    const mail = await silent([
      [/^UID FETCH/, (_tag, _line, socket) => void socket.write(`${row(1, 11)}* 2 FETCH (UID 12 BODY[] {500}\r\nSubj`)],
    ]);
    await expect(read(mail)).rejects.toEqual(failing('unavailable'));
  });

  it('does not count the time a consumer takes', async () => {
    const mail = await silent([]);
    const seen: number[] = [];
    for await (const { uid } of mail.messages('INBOX', [11, 12, 13], limits)) {
      seen.push(uid);
      await new Promise((resolve) => setTimeout(resolve, quick.stallMs + 50));
    }
    expect(seen).toEqual([11, 12, 13]);
  });

  it.each<[string, string]>([
    ['a line without end', `* 1 FETCH (UID 11 FLAGS (${'x'.repeat(1_200_000)}))\r\n`],
    ['a literal beyond all measure', '* 1 FETCH (UID 11 BODY[] {4000000000}\r\n'],
    ['more tokens than anybody needs', `* 1 FETCH (UID 11 FLAGS (${'a '.repeat(400_000)}b))\r\n`],
    ['a row nobody can parse', '* 1 FETCH (UID 11 BODY[] {3}\r\nabc "unclosed)\r\nTAG OK done\r\n'],
  ])('calls %s hostile', async (_what, answer) => {
    const mail = await scripted([[/^UID FETCH/, answer]]);
    await expect(read(mail, [11])).rejects.toEqual(failing('hostile'));
  });

  it('ends a download that does not go on', async () => {
    const first = 'x'.repeat(1_048_576);
    const mail = await silent([
      [
        /^UID FETCH .*<0\./,
        `* 1 FETCH (UID 11 RFC822.SIZE 3000000 BODY[]<0> {${first.length}}\r\n${first})\r\nTAG OK\r\n`,
      ],
      [/^UID FETCH/, () => undefined],
    ]);
    await expect(text(await mail.source('INBOX', 11))).rejects.toEqual(failing('unavailable'));
  });

  it('asks to slow down when the server does', async () => {
    const text = 'Request is throttled. Suggested Backoff Time: 90000 milliseconds';
    const mail = await scripted([[/^UID FETCH/, `TAG BAD ${text}\r\n`]]);
    const failure = await read(mail).catch((error: unknown) => error);
    expect(failure).toEqual(failing('throttled'));
    expect(failure).toMatchObject({ options: { retryAfterMs: 90_000 } });
  });
});

describe('changes', () => {
  const facts = (mail: ImapMailDriver, since: FolderCursor | null, depth: 'recent' | 'full' = 'recent') =>
    collect(mail.changes('INBOX', since, depth));

  it('never believes a list that is shorter than the folder', async () => {
    const mail = await scripted([[/^UID SEARCH/, '* SEARCH 11 13\r\nTAG OK done\r\n']]);
    await expect(facts(mail, null)).rejects.toEqual(failing('hostile'));
    await expect(mail.uids('INBOX')).rejects.toEqual(failing('hostile'));
  });

  it('lists by FETCH when the server refuses to search', async () => {
    const mail = await scripted([[/^UID SEARCH/, 'TAG NO internal error\r\n']]);
    expect(await facts(mail, null)).toEqual([
      { fact: 'listing', uids: [11, 12, 13] },
      { fact: 'cursor', cursor: cursor() },
    ]);
  });

  it('fails when the server does not say how many messages there are', async () => {
    const mail = await scripted([[/^EXAMINE/, '* OK [UIDVALIDITY 7] ok\r\nTAG OK done\r\n']]);
    await expect(facts(mail, cursor())).rejects.toEqual(failing('unavailable'));
  });

  it('starts over when UIDVALIDITY has changed', async () => {
    const mail = await scripted([]);
    expect((await facts(mail, cursor({ uidValidity: '6' }))).map(({ fact }) => fact)).toEqual([
      'reset',
      'listing',
      'cursor',
    ]);
  });

  it('asks an empty folder for nothing but its emptiness', async () => {
    const mail = await scripted([
      [/^EXAMINE/, '* 0 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 14] ok\r\nTAG OK done\r\n'],
    ]);
    expect(await facts(mail, cursor())).toEqual([
      { fact: 'listing', uids: [] },
      { fact: 'cursor', cursor: cursor({ messages: 0 }) },
    ]);
    expect(await mail.newest('INBOX', 50)).toEqual({ cursor: cursor({ messages: 0 }), uids: [] });
    expect(session.received.filter((line) => /FETCH/.test(line))).toEqual([]);
  });

  it('looks at flags when the server keeps no modseqs for this folder', async () => {
    const examine =
      '* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 14] ok\r\n* OK [NOMODSEQ] none\r\nTAG OK done\r\n';
    const mail = await signIn({
      capabilities: 'IMAP4rev1 ENABLE CONDSTORE',
      script: [
        [/^ENABLE/, '* ENABLED CONDSTORE\r\nTAG OK done\r\n'],
        [/^EXAMINE/, examine],
      ],
    });
    expect(mail.capabilities.condstore).toBe(true);
    expect(await facts(mail, cursor({ modseq: '5' }))).toEqual([
      { fact: 'present', uid: 11, flags: [] },
      { fact: 'present', uid: 12, flags: [] },
      { fact: 'present', uid: 13, flags: [] },
      { fact: 'cursor', cursor: cursor() },
    ]);
  });

  it('asks for the whole list when what QRESYNC told does not add up', async () => {
    const examine =
      '* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 14] ok\r\n* OK [HIGHESTMODSEQ 9] ok\r\nTAG OK done\r\n';
    const mail = await signIn({
      capabilities: 'IMAP4rev1 ENABLE CONDSTORE QRESYNC',
      script: [
        [/^ENABLE/, '* ENABLED CONDSTORE QRESYNC\r\nTAG OK done\r\n'],
        [/^EXAMINE/, examine],
      ],
    });
    const since = cursor({ modseq: '5', messages: 5 });
    expect(await facts(mail, since)).toEqual([
      { fact: 'listing', uids: [11, 12, 13] },
      { fact: 'cursor', cursor: cursor({ modseq: '9' }) },
    ]);
  });

  const vanishing = (uids: string): ScriptedOptions => ({
    capabilities: 'IMAP4rev1 ENABLE CONDSTORE QRESYNC',
    script: [
      [/^ENABLE/, '* ENABLED CONDSTORE QRESYNC\r\nTAG OK done\r\n'],
      [
        /^EXAMINE/,
        '* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 14] ok\r\n* OK [HIGHESTMODSEQ 9] ok\r\n' +
          `* VANISHED (EARLIER) ${uids}\r\nTAG OK done\r\n`,
      ],
      [/^UID FETCH/, 'TAG OK done\r\n'],
      [/^FETCH/, 'TAG OK done\r\n'],
    ],
  });

  it('survives a VANISHED over every uid there can be', async () => {
    const mail = await signIn(vanishing('1:4294967295'), {}, {});
    const loop = await heldUp(() => expect(facts(mail, cursor({ modseq: '5' }))).rejects.toEqual(failing('hostile')));
    expect(loop).toBeLessThan(100);
  });

  it('rather lists a folder than hears of 900,000 uids', async () => {
    const mail = await signIn(vanishing('20:900019'), {}, {});
    const loop = await heldUp(async () => {
      expect(await facts(mail, cursor({ modseq: '5', messages: 900_003 }))).toEqual([
        { fact: 'listing', uids: [11, 12, 13] },
        { fact: 'cursor', cursor: cursor({ modseq: '9' }) },
      ]);
    });
    expect(loop).toBeLessThan(100);
  });
});

it('closes after two seconds when the server does not answer LOGOUT', async () => {
  const mail = await scripted([[/^LOGOUT/, () => undefined]]);
  const started = Date.now();
  await mail.close();
  expect(Date.now() - started).toBeLessThan(10_000);
});
