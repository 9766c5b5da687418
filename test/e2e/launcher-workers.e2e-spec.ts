import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { ImapFlow } from 'imapflow';

import { type Dovecot, startDovecot } from '../../apps/launcher/peers/dovecot.js';
import { type SmtpPeer, startSmtp } from '../../apps/launcher/peers/smtp.js';
import { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { letter } from '../support/letters.js';
import { PostriderProcess } from '../support/postrider-process.js';

const users = ['ada', 'ben', 'cyd', 'dan'];
const passwords = Object.fromEntries(users.map((user) => [`${user}@example.com`, 'pw']));

describe('npm start -- --workers 2', () => {
  let home: string;
  let dovecot: Dovecot;
  let smtp: SmtpPeer;
  let postrider: PostriderProcess;
  const tokens = new Map<string, string>();
  let news = 0;

  beforeAll(async () => {
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'pr-'));
    fs.chmodSync(home, 0o755);
    const env = { EGRESS_ALLOW_PRIVATE: 'true', AUTODETECT_ONLINE: 'false', SYNC_BACKFILL_THREADS: '1' };
    [dovecot, smtp, postrider] = await Promise.all([
      startDovecot({ dir: path.join(home, 'dovecot'), users: passwords }),
      startSmtp({ users: passwords }),
      PostriderProcess.start(path.join(home, 'data'), env, ['--workers', '2']),
    ]);
    for (const user of users) tokens.set(user, await connect(user));
  });
  afterAll(async () => {
    await postrider?.stop();
    await dovecot?.stop();
    await smtp?.stop();
    fs.rmSync(home, { recursive: true, force: true });
  });

  async function connect(user: string): Promise<string> {
    const { client_id, client_secret } = JSON.parse(
      fs.readFileSync(path.join(home, 'data', 'development.json'), 'utf8'),
    ) as { client_id: string; client_secret: string };
    const post = async <T>(where: string, body: object) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await new ApiClient(postrider.url).send(where, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      if (answer.status !== 200) throw new Error(`${where} answered ${answer.status}: ${answer.text}`);
      return answer.json as T;
    };
    const server = (kind: string, port: number) => ({
      [`${kind}_host`]: '127.0.0.1',
      [`${kind}_port`]: port,
      [`${kind}_security`]: 'none',
      [`${kind}_username`]: `${user}@example.com`,
      [`${kind}_password`]: 'pw',
    });
    const { code } = await post<{ code: string }>('/connect/authorize', {
      client_id,
      name: user,
      email_address: `${user}@example.com`,
      provider: 'imap',
      settings: { ...server('imap', dovecot.imapPort), ...server('smtp', smtp.port) },
    });
    return (await post<{ access_token: string }>('/connect/token', { client_id, client_secret, code })).access_token;
  }

  /** Sessions by worker process, of those that live. */
  const shares = async () => {
    const rows = await postrider.query<{ id: string; sessions: number }>(
      `SELECT id, sessions FROM workers WHERE seen_at > now() - interval '5 seconds'`,
    );
    return new Map(rows.map(({ id, sessions }) => [Number(id.split(':').at(-2)), sessions]));
  };
  const equal = async () => {
    const held = await shares();
    const { 'worker-1': one = 0, 'worker-2': two = 0 } = postrider.pids();
    return held.get(one) === 2 && held.get(two) === 2;
  };
  const mailFlows = async () => {
    const name = `news-${(news += 1)}`;
    await Promise.all(
      users.map(async (user) => {
        const auth = { user: `${user}@example.com`, pass: 'pw' };
        const mail = new ImapFlow({ host: '127.0.0.1', port: dovecot.imapPort, secure: false, auth, logger: false });
        await mail.connect();
        await mail.append('INBOX', letter({ name, to: auth.user }));
        await mail.logout();
      }),
    );
    for (const user of users) {
      const api = new ApiClient(postrider.url, tokens.get(user));
      const arrived = async () => (await api.ok<{ count: number }>(`/messages?subject=${name}&view=count`)).count === 1;
      await eventually(`mail for ${user}`, arrived);
    }
  };

  it('starts two, which share the accounts', async () => {
    expect(Object.keys(postrider.pids()).toSorted()).toEqual([
      'api',
      'launcher',
      'postgres',
      'redis',
      'worker-1',
      'worker-2',
    ]);
    await eventually('equal shares', equal);
    await mailFlows();
  });

  it('goes on without one that is killed, and starts it again', async () => {
    const { 'worker-1': killed = 0 } = postrider.pids();
    process.kill(killed, 'SIGKILL');
    await mailFlows();
    await postrider.said(/The worker-1 runs again/);
    expect(postrider.pids()['worker-1']).not.toBe(killed);
    await eventually('equal shares', equal);
    await mailFlows();
  });

  it('goes on without one that hangs, who wakes up without harm', async () => {
    const { 'worker-2': hangs = 0 } = postrider.pids();
    process.kill(hangs, 'SIGSTOP');
    try {
      await mailFlows();
    } finally {
      process.kill(hangs, 'SIGCONT');
    }
    await eventually('equal shares', equal);
    await mailFlows();
    const told = await postrider.query<{ told: number }>(
      `SELECT count(*)::int AS told FROM changes WHERE object_type = 'message' GROUP BY account_id, object_id, event`,
    );
    expect(told).toHaveLength(news * users.length);
    expect(told.every(({ told: times }) => times === 1)).toBe(true);
  });
});
