import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

import { InvalidRequest, NotFound } from '#libs/common/errors.js';
import { newId } from '#libs/common/ids.js';
import { Reader } from '#libs/database/reader.js';

import type { ApplicationRef } from '../applications/applications.service.js';

import { toWebhookView, type WebhookRow, type WebhookView } from './webhook.view.js';
import { WebhookChallenge } from './webhook-challenge.js';

export interface WebhookSettings {
  readonly callbackUrl: string;
  readonly triggers: readonly string[];
  readonly state: 'active' | 'inactive';
  readonly inOrder: boolean;
  readonly fullObjects: boolean;
  readonly includeHistory: boolean;
  readonly notifyFrom: Date | null;
}

const MOST_WEBHOOKS = 100;
const COLUMNS = `id, callback_url AS "callbackUrl", triggers, state, in_order AS "inOrder", full_objects AS "fullObjects",
  include_history AS "includeHistory", notify_from AS "notifyFrom", bad_since AS "badSince", created_at AS "createdAt"`;

/** Webhooks as the application that owns them manages them. Those of others do not exist here. */
@Injectable()
export class WebhooksService {
  constructor(
    private readonly reader: Reader,
    private readonly dataSource: DataSource,
    private readonly challenge: WebhookChallenge,
  ) {}

  /** Oldest first. */
  async list({ id, clientId }: ApplicationRef): Promise<WebhookView[]> {
    const rows = await this.reader.rows<WebhookRow>(
      `SELECT ${COLUMNS} FROM webhooks WHERE application_id = $1 ORDER BY id`,
      [id],
    );
    return rows.map((row) => toWebhookView(clientId, row));
  }

  /** @throws NotFound */
  async get(application: ApplicationRef, id: string): Promise<WebhookView> {
    return toWebhookView(application.clientId, await this.row(application, id));
  }

  /** An active one has to answer a challenge first. @throws InvalidRequest when it does not, or has a private address */
  async create(application: ApplicationRef, settings: WebhookSettings): Promise<WebhookView> {
    await this.refuseUnsigned(application.id);
    await (settings.state === 'active'
      ? this.challenge.pass(settings.callbackUrl)
      : this.challenge.checkHost(settings));
    const id = newId();
    await this.dataSource.transaction(async (manager) => {
      // One at a time, so that they are counted, and start where the log ends now.
      await manager.query('SELECT FROM applications WHERE id = $1 FOR UPDATE', [application.id]);
      const [{ count }] = await manager.query<[{ count: number }]>(
        'SELECT count(*)::int AS count FROM webhooks WHERE application_id = $1',
        [application.id],
      );
      if (count >= MOST_WEBHOOKS) throw new InvalidRequest(`An application has at most ${MOST_WEBHOOKS} webhooks`);
      if (count === 0) {
        await manager.query(
          `INSERT INTO webhook_cursors (account_id, seq) SELECT id, change_seq FROM accounts WHERE application_id = $1
           ON CONFLICT (account_id) DO UPDATE SET seq = excluded.seq`,
          [application.id],
        );
      }
      await manager.query(
        `INSERT INTO webhooks (application_id, id, callback_url, triggers, state, in_order, full_objects, include_history,
           notify_from) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        [application.id, id, ...valuesOf(settings)],
      );
    });
    return this.get(application, id);
  }

  /**
   * Changes what is named. One that becomes active, or whose address changes, has to answer a challenge.
   * @throws NotFound, InvalidRequest
   */
  async change(application: ApplicationRef, id: string, change: Partial<WebhookSettings>): Promise<WebhookView> {
    const before = await this.row(application, id);
    const isOff = before.state === 'inactive' || before.state === 'failed';
    const state = change.state ?? (before.state === 'inactive' ? 'inactive' : 'active');
    const settings: WebhookSettings = { ...before, ...given(change), state };
    const moved = settings.callbackUrl !== before.callbackUrl;
    if (moved && state === 'inactive') await this.challenge.checkHost(settings);
    const wakes = state === 'active' && (moved || (change.state === 'active' && isOff));
    if (wakes) await this.challenge.pass(settings.callbackUrl);
    await this.dataSource.query(
      `UPDATE webhooks SET callback_url = $3, triggers = $4, in_order = $6, full_objects = $7, include_history = $8,
         notify_from = $9, updated_at = now(),
         state = CASE WHEN $5 = 'inactive' OR $10 THEN $5 ELSE state END,
         bad_since = CASE WHEN $5 = 'inactive' OR $10 THEN NULL ELSE bad_since END
       WHERE application_id = $1 AND id = $2`,
      [application.id, id, ...valuesOf(settings), wakes],
    );
    if (wakes) await this.dataSource.query('DELETE FROM webhook_tallies WHERE webhook_id = $1', [id]);
    return this.get(application, id);
  }

  /** With what was still to be delivered; the rest of its log goes, too. @throws NotFound */
  async delete(application: ApplicationRef, id: string): Promise<void> {
    const [rows]: [unknown[], number] = await this.dataSource.query(
      'DELETE FROM webhooks WHERE application_id = $1 AND id = $2 RETURNING id',
      [application.id, id],
    );
    if (rows.length === 0) throw new NotFound('webhook', id);
  }

  /** @throws NotFound */
  async row({ id: applicationId }: ApplicationRef, id: string): Promise<WebhookRow> {
    const [row] = await this.reader.rows<WebhookRow>(
      `SELECT ${COLUMNS} FROM webhooks WHERE application_id = $1 AND id = $2`,
      [applicationId, id],
    );
    if (!row) throw new NotFound('webhook', id);
    return row;
  }

  /** Of applications older than webhooks only a hash is known. */
  private async refuseUnsigned(applicationId: string): Promise<void> {
    const rows = await this.reader.rows('SELECT FROM applications WHERE id = $1 AND sealed_secret IS NOT NULL', [
      applicationId,
    ]);
    if (rows.length === 0) {
      throw new InvalidRequest('Nothing can be signed for this application yet: rotate its client secret first');
    }
  }
}

const valuesOf = (settings: WebhookSettings) => [
  settings.callbackUrl,
  settings.triggers,
  settings.state,
  settings.inOrder,
  settings.fullObjects,
  settings.includeHistory,
  settings.notifyFrom,
];

/** Without what is undefined. */
const given = (change: Partial<WebhookSettings>): Partial<WebhookSettings> =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
