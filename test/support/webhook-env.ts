import { noteEvents } from '#libs/changes/account-events.js';
import { newSecret } from '#libs/common/ids.js';

import type { ApiAnswer } from './api-client.js';
import { ChangeMaker } from './change-maker.js';
import { eventually } from './eventually.js';
import { Installation, type ProcessName } from './installation.js';
import { Seed, type SeededAccount, type SeededMessage } from './seed.js';
import { WebhookSink } from './webhook-sink.js';

export interface DeliveryRow {
  readonly id: string;
  readonly trigger: string;
  readonly state: string;
  readonly attempts: number;
  readonly history: readonly { readonly status: number | null; readonly error: string | null; readonly ms: number }[];
  readonly due_in: number;
}

/** API and worker in processes of their own, an application with accounts, and the endpoint that it runs. */
export class WebhookEnv {
  private constructor(
    readonly installation: Installation,
    readonly sink: WebhookSink,
    readonly seed: Seed,
    readonly changes: ChangeMaker,
    readonly clientId: string,
    readonly clientSecret: string,
    readonly applicationId: string,
  ) {}

  static async start(...processes: ProcessName[]): Promise<WebhookEnv> {
    const installation = await Installation.create({ LOG_LEVEL: 'warn' });
    const [clientId, clientSecret] = [newSecret(), newSecret()];
    const application = { client_id: clientId, client_secret: clientSecret, name: 'Webhook test' };
    await installation.command(['setup'], JSON.stringify(application));
    const url = installation.config.DATABASE_URL;
    const [sink, seed, changes] = await Promise.all([WebhookSink.start(), Seed.open(url), ChangeMaker.open(url)]);
    const [row] = await seed.sql('SELECT id FROM applications');
    await installation.start('api', ...processes);
    return new WebhookEnv(installation, sink, seed, changes, clientId, clientSecret, String(row!['id']));
  }

  async stop(): Promise<void> {
    await Promise.all([this.seed.close(), this.changes.close(), this.sink.close()]);
    await this.installation.stop();
  }

  /** An account that no sync touches. */
  async account(): Promise<SeededAccount> {
    const account = await this.seed.account({ application: this.applicationId });
    await this.seed.sql('UPDATE accounts SET sync_enabled = false WHERE id = $1', [account.id]);
    return account;
  }

  ask(path: string, method = 'GET', body?: object): Promise<ApiAnswer> {
    return this.installation.client.as(this.clientSecret).send(`/a/${this.clientId}/webhooks${path}`, {
      method,
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  /** @param path of the sink @returns its id */
  async webhook(path = '/hook', more: object = {}): Promise<string> {
    const body = { callback_url: this.sink.url(path), triggers: ['message.created'], ...more };
    const answer = await this.ask('', 'POST', body);
    if (answer.status !== 200) throw new Error(`POST webhooks answered ${answer.status}: ${answer.text}`);
    return (answer.json as { id: string }).id;
  }

  /** A message that the log tells of. */
  async message(account: SeededAccount, spec: Parameters<Seed['message']>[1] = {}): Promise<SeededMessage> {
    const message = await this.seed.message(account, spec);
    await this.changes.record(account, [['create', 'message', message.id]]);
    return message;
  }

  /** Entries of the log for messages that are gone by now, so many in each transaction. @returns their ids, in order */
  async messages(account: SeededAccount, count: number, atOnce = 50): Promise<string[]> {
    const ids = Array.from({ length: count }, (_, n) => `m${String(n).padStart(24, '0')}`);
    for (let at = 0; at < count; at += atOnce) {
      const some = ids.slice(at, at + atOnce);
      await this.changes.record(
        account,
        some.map((id) => ['create', 'message', id] as const),
      );
    }
    return ids;
  }

  /** A line of the account's log. */
  async note(account: SeededAccount, kind: string, details?: Readonly<Record<string, unknown>>): Promise<void> {
    await this.changes.record(account, [], (tx) =>
      noteEvents(tx, [{ level: 'info', kind, message: 'Test.', details }]),
    );
  }

  async deliveries(webhookId: string): Promise<DeliveryRow[]> {
    return (await this.seed.sql(
      `SELECT id, trigger, state, attempts, history, extract(epoch FROM due_at - now())::float8 AS due_in
       FROM webhook_deliveries WHERE webhook_id = $1 ORDER BY seq`,
      [webhookId],
    )) as unknown as DeliveryRow[];
  }

  /** Until every delivery is in one of these states. */
  settled(webhookId: string, count: number, ...states: string[]): Promise<DeliveryRow[]> {
    return eventually(`${count} deliveries ${states.join(' or ')}`, async () => {
      const rows = await this.deliveries(webhookId);
      return rows.length === count && rows.every(({ state }) => states.includes(state)) ? rows : null;
    });
  }

  /** Until so many deliveries, all of them unless it is said, have had so many attempts. */
  settledAfter(webhookId: string, attempts: number, count?: number, state?: string): Promise<DeliveryRow[]> {
    return eventually(`deliveries after ${attempts} attempts`, async () => {
      const rows = await this.deliveries(webhookId);
      const tried = rows.filter((row) => row.attempts >= attempts && (state ?? row.state) === row.state);
      return tried.length > 0 && tried.length >= (count ?? rows.length) ? tried : null;
    });
  }

  until(what: string, probe: () => Promise<unknown>): Promise<unknown> {
    return eventually(what, probe);
  }

  /** What waits for another attempt is tried now. */
  async hurry(): Promise<void> {
    await this.seed.sql(`UPDATE webhook_deliveries SET due_at = now() WHERE state = 'pending'`);
  }
}
