import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { type Dovecot, startDovecot } from '../../apps/launcher/peers/dovecot.js';
import { type SmtpPeer, startSmtp } from '../../apps/launcher/peers/smtp.js';

import { Installation } from '../support/installation.js';
import { createEmptyDatabase } from '../support/servers.js';

const PASSWORD = 'battery-staple-4410';
const CLIENT = { client_id: 'cliclient', client_secret: 'clisecret00000000000000001', name: 'Development' };

describe('the command line', () => {
  let dir: string;
  let dovecot: Dovecot;
  let smtp: SmtpPeer;
  let at: Installation;

  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'pr-cli-'));
    const users = { 'ada@example.com': PASSWORD, 'bob@example.com': PASSWORD };
    [at, dovecot, smtp] = await Promise.all([
      Installation.create(),
      startDovecot({ dir, users, settings: { tls: true } }),
      startSmtp({ users, tls: { mode: 'starttls' } }),
    ]);
    expect(await at.command(['setup'], JSON.stringify(CLIENT))).toEqual({ code: 0, output: '', complaint: '' });
  });
  afterAll(async () => {
    await at?.stop();
    await dovecot?.stop();
    await smtp?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const servers = (over: Record<string, string> = {}) =>
    Object.entries({
      'imap-host': '127.0.0.1',
      'imap-port': String(dovecot.imapPort),
      'imap-security': 'starttls',
      'smtp-host': '127.0.0.1',
      'smtp-port': String(smtp.port),
      'smtp-security': 'starttls',
      ...over,
    }).flatMap(([name, value]) => [`--${name}`, value]);
  const add = (email: string, extra: readonly string[] = [], password = PASSWORD, env: Record<string, string> = {}) =>
    at.command(['account', 'add', email, '--password-stdin', '--json', ...extra], `${password}\n`, env);
  const trusting = () => [...servers(), '--no-verify-certificate'];

  it('connects an account and prints exactly what scripts need', async () => {
    const result = await add('ada@example.com', trusting());
    expect(result).toMatchObject({ code: 0, complaint: '' });
    const printed = JSON.parse(result.output) as Record<string, string>;
    expect(Object.keys(printed)).toEqual(['account_id', 'namespace_id', 'access_token']);
    const [watch] = await at.query<{ sync_state: string; sync_enabled: boolean }>('SELECT * FROM accounts');
    expect(watch).toMatchObject({ sync_state: 'initializing', sync_enabled: true });
  });

  it('shows people the call to make next', async () => {
    const argv = ['account', 'add', 'ada@example.com', '--password-stdin', ...trusting()];
    const { output } = await at.command(argv, PASSWORD, { HOST: '0.0.0.0', PORT: '5599' });
    const [, token] = /access token +(\w{25})/.exec(output) ?? [];
    expect(output).toContain(`curl -u ${token}: 'http://127.0.0.1:5599/threads?limit=5'`);
  });

  it('keeps the account when the same mailbox is added again, in any spelling', async () => {
    const first = JSON.parse((await add('ada@example.com', trusting())).output) as Record<string, string>;
    const user = ['--imap-username', 'ada@example.com', '--smtp-username', 'ada@example.com'];
    const again = JSON.parse((await add('Ada@Example.com', [...trusting(), ...user])).output) as Record<string, string>;
    expect(again['account_id']).toBe(first['account_id']);
    expect(again['access_token']).not.toBe(first['access_token']);
    expect(await at.query('SELECT id FROM accounts')).toHaveLength(1);
  });

  it.each([
    ['a wrong password', [], 'wrong-password-2', {}, /IMAP server 127.0.0.1:\d+: .*password/],
    ['a certificate that is not trusted', null, PASSWORD, {}, /IMAP server .*certificate is not trusted/],
    ['an unknown host', ['--imap-host', 'nowhere.invalid'], PASSWORD, {}, /imap_host: .*nowhere\.invalid/],
    ['a private address', [], PASSWORD, { EGRESS_ALLOW_PRIVATE: 'false' }, /imap_host: .*refused.*EGRESS_ALLOW/],
    [
      'TLS where there is none',
      ['--imap-security', 'tls'],
      PASSWORD,
      {},
      /127.0.0.1:\d+: .*not speak TLS on this port/,
    ],
    ['a senseless port', ['--smtp-port', 'x'], PASSWORD, {}, /--smtp-port/],
    ['a senseless security', ['--imap-security', 'ssl'], PASSWORD, {}, /--imap-security/],
    ['an empty password', [], '', {}, /password is empty/],
  ] as const)('refuses %s in one line', async (_name, extra, password, env, complaint) => {
    const result = await add('bob@example.com', extra === null ? servers() : [...trusting(), ...extra], password, env);
    expect(result).toMatchObject({ code: 1, output: '', complaint: expect.stringMatching(complaint) });
    expect(result.complaint).not.toMatch(/\n|wrong-password/);
    expect(await at.query(`SELECT id FROM accounts WHERE email_key = 'bob@example.com'`)).toEqual([]);
  });

  it('says what to do when servers cannot be detected, or only OAuth helps', async () => {
    expect(await add('bob@example.com')).toMatchObject({ code: 1, complaint: expect.stringContaining('--imap-host') });
    expect(await add('bob@hotmail.com')).toMatchObject({ code: 1, complaint: expect.stringContaining('OAuth') });
  });

  it('lists, stops, starts, makes tokens and removes', async () => {
    const { account_id: id } = JSON.parse((await add('bob@example.com', trusting())).output) as Record<string, string>;
    const listed = JSON.parse((await at.command(['account', 'list', '--json'])).output) as { account_id: string }[];
    expect(listed.map((account) => account.account_id)).toContain(id);
    expect((await at.command(['account', 'list'])).output).toMatch(/bob@example\.com +\w{25} +initializing +0\/0/);

    await at.command(['account', 'stop', 'bob@example.com']);
    const state = async () =>
      (await at.query<object>('SELECT sync_enabled, sync_state FROM accounts WHERE id = $1', [id]))[0];
    expect(await state()).toEqual({ sync_enabled: false, sync_state: 'stopped' });
    await at.command(['account', 'start', id!]);
    expect(await state()).toEqual({ sync_enabled: true, sync_state: 'initializing' });
    const kinds = await at.query<{ kind: string }>(
      'SELECT kind FROM account_events WHERE account_id = $1 ORDER BY id',
      [id],
    );
    expect(kinds.map((row) => row.kind)).toEqual(['account.connected', 'account.stopped', 'account.started']);

    expect((await at.command(['token', 'create', id!])).output).toMatch(/^[0-9a-z]{25}\n$/);
    expect(await at.command(['account', 'remove', 'bob@example.com'])).toMatchObject({ code: 0 });
    expect(await at.command(['account', 'stop', 'bob@example.com'])).toMatchObject({
      code: 1,
      complaint: 'There is no account bob@example.com',
    });
  });

  it('removes every row of an account in every table, and no row of another', async () => {
    const { account_id: id } = JSON.parse((await add('bob@example.com', trusting())).output) as Record<string, string>;
    const tables = await at.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'account_id'`,
    );
    expect(tables.length).toBeGreaterThan(10);
    await at.query(
      `INSERT INTO changes (account_id, seq, object_type, object_id, event)
       SELECT account, n, 'thread', 't', 'modify' FROM unnest($1::text[]) account, generate_series(100, 6200) n`,
      [[id, 'other']],
    );
    for (const table of ['message_bodies', 'categories', 'files', 'thread_refs', 'backfill_ranges', 'poison_uids']) {
      await at.query(await minimalRow(table), [id]);
    }
    await at.command(['account', 'remove', id!]);
    for (const { name } of tables) {
      const rows = await at.query<{ n: number }>(`SELECT count(*)::int AS n FROM "${name}" WHERE account_id = $1`, [
        id,
      ]);
      expect([name, rows[0]?.n]).toEqual([name, 0]);
    }
    expect(await at.query(`SELECT 1 FROM changes WHERE account_id = 'other'`)).toHaveLength(6101);
  });

  /** An INSERT with account $1 and something in every column that must not be null. */
  async function minimalRow(table: string): Promise<string> {
    const columns = await at.query<{ column_name: string; data_type: string }>(
      `SELECT column_name, data_type FROM information_schema.columns
       WHERE table_name = $1 AND is_nullable = 'NO' AND column_default IS NULL AND column_name <> 'account_id'`,
      [table],
    );
    const values = columns.map(({ data_type: type }) => (type === 'text' ? `'x'` : '1'));
    const names = columns.map((column) => `"${column.column_name}"`);
    return `INSERT INTO ${table} (account_id, ${names.join(', ')}) VALUES ($1, ${values.join(', ')})`;
  }

  it('leaves no password and no token in the database', async () => {
    const { access_token: token } = JSON.parse((await add('ada@example.com', trusting())).output) as Record<
      string,
      string
    >;
    const dump = await at.dump();
    expect(dump).toContain('ada@example.com');
    for (const secret of [PASSWORD, token!, CLIENT.client_secret]) expect(dump).not.toContain(secret);
  });

  it('migrates an empty database, by several at once', async () => {
    const empty = await createEmptyDatabase();
    const env = { DATABASE_URL: empty.url };
    const notYet = await at.command(['account', 'list'], '', env);
    expect(notYet).toMatchObject({ code: 1, complaint: expect.stringContaining('migrate') });
    const results = await Promise.all([1, 2, 3].map(() => at.command(['setup'], JSON.stringify(CLIENT), env)));
    expect(results.map((result) => [result.code, result.complaint])).toEqual([0, 0, 0].map((code) => [code, '']));
    expect((await at.command(['account', 'list'], '', env)).output).toContain('No account');
    await empty.drop();
  });

  it.each([
    [['account', 'fly'], /Unknown command "account fly".* account add, .*account remove\. "postrider help"/],
    [['account'], /Unknown command "account".* account add/],
    [['fly'], /Unknown command "fly".* account add, .* setup/],
    [['account', 'stop'], /Usage: postrider account stop <account>/],
    [['account', 'list', '--colour'], /--colour/],
    [['setup'], /JSON on standard input/],
  ])('complains about %j in one line', async (argv, complaint) => {
    expect(await at.command(argv)).toMatchObject({ code: 1, complaint: expect.stringMatching(complaint) });
  });

  it('names the setting when the database cannot be reached or a setting is wrong', async () => {
    const away = { DATABASE_URL: 'postgres://x:y@127.0.0.1:1/none' };
    expect(await at.command(['account', 'list'], '', away)).toMatchObject({
      code: 1,
      complaint: expect.stringMatching(/^DATABASE_URL: .*ECONNREFUSED/),
    });
    const wrong = { SECRET_KEYS: 'x' };
    expect(await at.command(['account', 'list'], '', wrong)).toMatchObject({
      complaint: expect.stringContaining('SECRET_KEYS'),
    });
  });

  it.each([[], ['help'], ['-h'], ['account', '--help'], ['account', 'add', '--help'], ['fly', '-h']])(
    'explains itself when called with %j %j %j',
    async (...argv) => {
      const words = argv.filter((word) => word !== undefined);
      expect(await at.command(words)).toMatchObject({ code: 0, output: expect.stringContaining('add <email>') });
    },
  );
});
