import type { ImapFlow } from 'imapflow';

import { eventually } from '../support/eventually.js';
import { odd, oddities } from '../support/hostile-letters.js';
import { letter } from '../support/letters.js';
import { Probe } from '../support/probe.js';
import { type ConnectedAccount, Product } from '../support/product.js';
import { row, type Script, type ScriptedImap, startScriptedImap } from '../support/scripted-imap.js';

interface Status {
  readonly sync_state: string;
  readonly folders: readonly { readonly synced: number }[];
  readonly events: readonly { readonly kind: string; readonly message: string }[];
}

/** A server that misbehaves on its second connection, and perhaps some more; the first only verifies the password. */
interface Rogue {
  readonly what: string;
  readonly capabilities?: string;
  readonly misdeeds: Script;
  readonly manners?: Script;
  readonly logged: RegExp;
  /** Connections that misbehave; 1 when left out. */
  readonly times?: number;
}

const opened = (exists: number, more = '') =>
  `* ${exists} EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 14] ok\r\n* OK [HIGHESTMODSEQ 9] ok\r\n${more}TAG OK done\r\n`;

const rogues: readonly Rogue[] = [
  { what: 'lists nothing', misdeeds: [[/^LIST/, 'TAG OK done\r\n']], logged: /lists no folder/ },
  {
    what: 'leaves out flags',
    misdeeds: [[/^UID FETCH/, `${row(1, 11, '')}${row(2, 12, '')}${row(3, 13, '')}TAG OK done\r\n`]],
    logged: /left out the flags of 3 messages/,
  },
  {
    what: 'drops the connection in the middle of a message',
    misdeeds: [[/^UID FETCH/, (_tag, _line, socket) => void socket.end('* 1 FETCH (UID 11 BODY[]<0> {500}\r\nSubj')]],
    logged: /connection to the mail server failed/,
  },
  {
    what: 'lets every uid vanish',
    capabilities: 'IMAP4rev1 ENABLE CONDSTORE QRESYNC',
    misdeeds: [[/^EXAMINE .*QRESYNC/, opened(0, '* VANISHED (EARLIER) 1:4294967295\r\n')]],
    manners: [
      [/^ENABLE/, '* ENABLED CONDSTORE QRESYNC\r\nTAG OK done\r\n'],
      [/^EXAMINE/, opened(3)],
    ],
    logged: /beyond all limits/,
  },
  {
    what: 'sends garbage',
    misdeeds: [[/^UID FETCH/, `* 1 FETCH (${'\0(x'.repeat(500_000)}\r\n`]],
    // The batch, then its first message, then that in part: it rests for a minute.
    times: 4,
    logged: /beyond all limits/,
  },
  // It takes a minute until it is believed to hang.
  { what: 'hangs', misdeeds: [[/^UID FETCH/, () => undefined]], logged: /stopped answering/ },
];

async function startRogue({ capabilities, misdeeds, manners = [], times = 1 }: Rogue): Promise<ScriptedImap> {
  let logins = 0;
  const isMad = () => logins > 1 && logins <= 1 + times;
  return startScriptedImap({
    capabilities,
    script: [
      [
        /^LOGIN/,
        (tag, _line, socket) => {
          logins += 1;
          socket.write(`${tag} OK done\r\n`);
        },
      ],
      ...misdeeds.map(
        ([pattern, reply]) => [{ test: (line: string) => isMad() && pattern.test(line) }, reply] as const,
      ),
      ...manners,
    ],
  });
}

const users = rogues.map((_, index) => `rogue${index}`);

describe('hostile mail and hostile servers', () => {
  const probe = new Probe();
  const servers: ScriptedImap[] = [];
  const accounts: ConnectedAccount[] = [];
  let product: Product;
  let mail: ImapFlow;
  let ada: ConnectedAccount;

  beforeAll(async () => {
    product = await Product.start({ users: ['ada', ...users], env: { ...probe.env, SYNC_BACKFILL_THREADS: '1' } });
    mail = await product.mailProgram();
    await probe.reset(product.installation.pid('worker'));
    for (const [index, rogue] of rogues.entries()) {
      servers.push(await startRogue(rogue));
      accounts.push(await product.connect(users[index], { imap_port: servers[index]!.port }));
    }
  });
  afterAll(async () => {
    await product?.stop();
    for (const server of servers) await server.stop();
    probe.remove();
  });

  const status = (account: ConnectedAccount) => account.api.ok<Status>('/status');
  const arrived = (name: string) =>
    eventually(name, async () => (await ada.api.ok<string[]>(`/messages?view=ids&subject=${name}`))[0]);
  const staysCalm = () => {
    const { heldUpMs, peakMb } = probe.strain(product.installation.pid('worker'));
    expect(heldUpMs).toBeLessThan(100);
    expect(peakMb).toBeLessThan(500);
  };

  it('reads it as old mail, in a folder with a name of its own', async () => {
    await mail.mailboxCreate('__proto__');
    await product.deliver(
      'ada',
      '__proto__',
      oddities.map((each) => odd(each, 'old')),
    );
    await product.deliver('ada', 'INBOX', [...oddities.map((each) => odd(each, 'recent')), letter({ name: 'plain' })]);
    ada = await product.connect();
    for (const { name } of oddities) {
      await arrived(`recent-${name}`);
      await arrived(`old-${name}`);
    }
    await arrived('plain');
    await eventually('the running state', async () => (await status(ada)).sync_state === 'running');
    expect((await ada.api.ok<unknown[]>('/messages?in=__proto__&limit=100')).length).toBe(oddities.length);
    staysCalm();
  });

  it.each(oddities)('takes $name as news, and what comes after it', async (oddity) => {
    await product.deliver('ada', 'INBOX', [odd(oddity, 'new'), letter({ name: `after-${oddity.name}` })]);
    await arrived(`after-${oddity.name}`);
    const id = await arrived(`new-${oddity.name}`);
    expect(await ada.api.ok(`/messages/${id}`)).toMatchObject({
      subject: `new-${oddity.name}`,
      from: [{ name: 'Mallory', email: 'mallory@example.net' }],
    });
    const log = await product.installation.query<{ message: string }>(
      `SELECT message FROM account_events WHERE account_id = $1 AND details->>'messageId' = $2`,
      [ada.id, id],
    );
    if (oddity.logged) expect(log).toEqual([{ message: expect.stringMatching(oddity.logged) }]);
    else expect(log).toEqual([]);
    staysCalm();
  });

  it.each(rogues.map(({ what, logged }, index) => ({ what, logged, index })))(
    'keeps syncing with a server that $what, and says so',
    async ({ logged, index }) => {
      const account = accounts[index]!;
      await eventually(
        'the log',
        async () => (await status(account)).events.some(({ message }) => logged.test(message)),
        90_000,
      );
      await eventually('its mail', async () => (await status(account)).folders[0]?.synced === 3, 90_000);
      await eventually('the running state', async () => (await status(account)).sync_state === 'running');
      staysCalm();
    },
  );
});
