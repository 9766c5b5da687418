import { type Script } from '../support/scripted-imap.js';
import { collect, cursor, failing, ScriptedSession } from '../support/scripted-session.js';

/** What servers in the wild do otherwise, and RFCs do not foresee: docs/adr/0011-server-quirks.md lists it. */

const session = new ScriptedSession();
const signIn = session.signIn.bind(session);
const scripted = (script: Script) => signIn({ script });

afterEach(() => session.end());

describe('extensions that are announced and do not work', () => {
  it('never asks for IMAP4rev2, in which servers fail in new ways', async () => {
    const mail = await signIn({
      capabilities: 'IMAP4rev1 IMAP4rev2 ENABLE LITERAL+',
      script: [[/^(ENABLE|LSUB)/, 'TAG BAD not in this mode\r\n']],
    });
    expect((await mail.folders()).map(({ path }) => path)).toEqual(['INBOX']);
    expect(await collect(mail.changes('INBOX', null, 'recent'))).toHaveLength(2);
    expect(session.received.filter((line) => /rev2/i.test(line))).toEqual([]);
  });

  it.each(['NO not enabled', 'BAD what?'])('does without CONDSTORE where ENABLE is answered %s', async (answer) => {
    const mail = await signIn({
      capabilities: 'IMAP4rev1 ENABLE CONDSTORE QRESYNC',
      script: [[/^ENABLE/, `TAG ${answer}\r\n`]],
    });
    expect(mail.capabilities).toMatchObject({ condstore: false, qresync: false });
    expect(await collect(mail.changes('INBOX', cursor(), 'recent'))).toEqual([
      ...[11, 12, 13].map((uid) => ({ fact: 'present', uid, flags: [] })),
      { fact: 'cursor', cursor: cursor() },
    ]);
  });

  it('lists without what LIST-EXTENDED promises where that is refused', async () => {
    const mail = await signIn({
      capabilities: 'IMAP4rev1 LIST-EXTENDED LIST-STATUS SPECIAL-USE CHILDREN',
      script: [[/^LIST .*RETURN/, 'TAG BAD no options\r\n']],
    });
    expect(await mail.folders()).toMatchObject([{ path: 'INBOX', role: 'inbox', status: null }]);
  });
});

describe('a folder opened without UIDNEXT', () => {
  const script = (exists: number): Script => [
    [/^EXAMINE/, `* ${exists} EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\nTAG OK done\r\n`],
    [/^FETCH \*/, '* 3 FETCH (UID 13)\r\nTAG OK done\r\n'],
    [/^UID SEARCH/, exists ? '* SEARCH 11 12 13\r\nTAG OK done\r\n' : '* SEARCH\r\nTAG OK done\r\n'],
  ];

  it('is known by its highest uid', async () => {
    const mail = await scripted(script(3));
    expect((await mail.newest('INBOX', 0)).cursor).toEqual(cursor());
  });

  it('is looked at in full while it is empty', async () => {
    const mail = await scripted(script(0));
    const since = cursor({ uidNext: null, messages: 0 });
    expect(await collect(mail.changes('INBOX', since, 'recent'))).toEqual([
      { fact: 'listing', uids: [] },
      { fact: 'cursor', cursor: since },
    ]);
  });
});

describe('waiting for news', () => {
  const never = new AbortController().signal;
  const mailboxOf = (count: number) =>
    `* ${count} EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT ${count + 11}] ok\r\n`;

  it('polls where there is no IDLE', async () => {
    let polls = 0;
    const mail = await scripted([
      [
        /^NOOP/,
        (tag, _line, socket) => void socket.write(polls++ < 2 ? `${tag} OK\r\n` : `* 4 EXISTS\r\n${tag} OK\r\n`),
      ],
      [/^STATUS/, '* STATUS INBOX (MESSAGES 3 UIDNEXT 14)\r\nTAG OK done\r\n'],
    ]);
    await mail.newest('INBOX', 0);
    expect(await mail.waitForChange('INBOX', 5000, never)).toMatch(/^(arrived|changed)$/);
  });

  it('notices by STATUS what NOOP keeps to itself', async () => {
    const mail = await scripted([[/^STATUS/, '* STATUS INBOX (MESSAGES 4 UIDNEXT 15)\r\nTAG OK done\r\n']]);
    await mail.newest('INBOX', 0);
    expect(await mail.waitForChange('INBOX', 5000, never)).toMatch(/^(arrived|changed)$/);
  });

  it('opens the folder again where nothing else helps', async () => {
    const news = mailboxOf(4);
    let opened = 0;
    const script: Script = [
      [/^(NOOP|STATUS)/, '* STATUS INBOX (MESSAGES 3 UIDNEXT 14)\r\nTAG OK done\r\n'],
      [
        /^EXAMINE/,
        (tag, _line, socket) => void socket.write(`${(opened += 1) > 2 ? news : mailboxOf(3)}${tag} OK done\r\n`),
      ],
    ];
    const mail = await signIn({ script }, {}, { quirks: { pollMs: 50, poll: 'examine' } });
    await mail.newest('INBOX', 0);
    expect(await mail.waitForChange('INBOX', 5000, never)).toMatch(/^(arrived|changed)$/);
    expect(session.received).not.toContain('NOOP');
  });

  it('asks by STATUS alone where NOOP does nothing, as the server calls itself', async () => {
    const mail = await signIn({
      capabilities: 'IMAP4rev1 ID',
      script: [
        [/^ID/, '* ID ("name" "Coremail Imap" "vendor" "Mailtech")\r\nTAG OK done\r\n'],
        [/^STATUS/, '* STATUS INBOX (MESSAGES 4 UIDNEXT 15)\r\nTAG OK done\r\n'],
      ],
    });
    await mail.newest('INBOX', 0);
    expect(await mail.waitForChange('INBOX', 5000, never)).toMatch(/^(arrived|changed)$/);
    expect(session.received).toContain('STATUS INBOX (MESSAGES UIDNEXT)');
    expect(session.received).not.toContain('NOOP');
  });

  it('begins IDLE anew before the server forgets it', async () => {
    const idling: string[] = [];
    const mail = await signIn(
      {
        capabilities: 'IMAP4rev1 IDLE',
        script: [
          [
            /^IDLE/,
            (tag, _line, socket) => {
              idling.push(tag);
              socket.write(idling.length < 3 ? '+ idling\r\n' : '+ idling\r\n* 4 EXISTS\r\n');
            },
          ],
          [{ test: (line) => line === '' }, (_tag, _line, socket) => void socket.write(`${idling.at(-1)} OK\r\n`)],
        ],
      },
      {},
      { quirks: { idleMs: 100 } },
    );
    await mail.newest('INBOX', 0);
    expect(await mail.waitForChange('INBOX', 5000, never)).toMatch(/^(arrived|changed)$/);
    expect(idling).toHaveLength(3);
  });

  it('falls back to polling when the server refuses IDLE', async () => {
    const mail = await signIn({
      capabilities: 'IMAP4rev1 IDLE',
      script: [
        [/^IDLE/, 'TAG NO not now\r\n'],
        [/^NOOP/, '* 4 EXISTS\r\nTAG OK\r\n'],
      ],
    });
    await mail.newest('INBOX', 0);
    expect(await mail.waitForChange('INBOX', 5000, never)).toMatch(/^(arrived|changed)$/);
  });

  it('fails when the connection is lost while idling', async () => {
    const mail = await signIn({
      capabilities: 'IMAP4rev1 IDLE',
      script: [[/^IDLE/, (_tag, _line, socket) => void socket.end('+ idling\r\n')]],
    });
    await mail.newest('INBOX', 0);
    await expect(mail.waitForChange('INBOX', 5000, never)).rejects.toEqual(failing('unavailable'));
  });
});
