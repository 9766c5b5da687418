import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

import { NotFound } from '#libs/common/errors.js';
import { sameHash, sha256 } from '#libs/common/hash.js';
import { newId, newSecret } from '#libs/common/ids.js';
import { SecretBox } from '#libs/common/secret-box.js';
import { Reader } from '#libs/database/reader.js';

import {
  type OAuthClient,
  type OAuthClients,
  openOAuthClient,
  type OAuthProvider,
  sealOAuthClient,
} from './oauth-clients.js';

export interface ApplicationRef {
  readonly id: string;
  readonly clientId: string;
  readonly name: string;
}

/** What its owner sets up. */
export interface ApplicationSettings {
  readonly name: string;
  readonly iconUrl: string | null;
  readonly primaryColor: string | null;
  readonly redirectUris: readonly string[];
  readonly apiVersion: string;
}

export type Application = ApplicationRef &
  ApplicationSettings & {
    readonly oauthClients: OAuthClients;
    /** How long the secret before the last change is taken, too. */
    readonly formerSecretUntil: Date | null;
    readonly createdAt: Date;
  };

export interface ApplicationChange extends Partial<ApplicationSettings> {
  /** Null takes it away. */
  readonly oauthClients?: Partial<Record<OAuthProvider, OAuthClient | null>>;
}

interface SecretRow extends ApplicationRef {
  readonly hash: string;
  readonly former: string | null;
}

/** How long the secret before the last change is taken when nobody says, and at the most. */
export const GRACE_SECONDS = 86_400;
export const MOST_GRACE_SECONDS = 30 * GRACE_SECONDS;

/** PostgreSQL has no such character in its texts. */
const NUL = '\0';
/** No hash of anything: an empty secret must not match what is not there. */
const NO_HASH = '-'.repeat(64);
const COLUMNS = `id, client_id AS "clientId", name, icon_url AS "iconUrl", primary_color AS "primaryColor",
  redirect_uris AS "redirectUris", api_version AS "apiVersion", oauth_clients AS "oauthClients",
  former_secret_until AS "formerSecretUntil", created_at AS "createdAt"`;

/** The clients of our API. */
@Injectable()
export class ApplicationsService {
  constructor(
    private readonly reader: Reader,
    private readonly dataSource: DataSource,
    private readonly box: SecretBox,
  ) {}

  async byClientId(clientId: string): Promise<Application | null> {
    const [application] = await this.reader.rows<Application>(
      `SELECT ${COLUMNS} FROM applications WHERE client_id = $1`,
      [clientId],
      'application-by-client-id',
    );
    return application ?? null;
  }

  /** @throws NotFound */
  async get(id: string): Promise<Application> {
    const [application] = await this.reader.rows<Application>(`SELECT ${COLUMNS} FROM applications WHERE id = $1`, [
      id,
    ]);
    if (!application) throw new NotFound('application', id);
    return application;
  }

  /** Oldest first. */
  async list(): Promise<Application[]> {
    return this.reader.rows<Application>(`SELECT ${COLUMNS} FROM applications ORDER BY id`);
  }

  /** Null for an unknown client as for a wrong secret; both take the same time. */
  async verify(clientId: string, clientSecret: string): Promise<ApplicationRef | null> {
    if (clientId.includes(NUL)) return null;
    const [row] = await this.reader.rows<SecretRow>(
      `SELECT id, client_id AS "clientId", name, client_secret_hash AS hash,
         CASE WHEN former_secret_until > now() THEN former_secret_hash END AS former
       FROM applications WHERE client_id = $1`,
      [clientId],
      'application-secret',
    );
    const given = sha256(clientSecret);
    const isCurrent = sameHash(given, row?.hash ?? NO_HASH);
    const isFormer = sameHash(given, row?.former ?? NO_HASH);
    if (!row || !(isCurrent || isFormer)) return null;
    return { id: row.id, clientId: row.clientId, name: row.name };
  }

  /** Creates the application, or gives the one with this client id this name and secret. */
  async upsert(clientId: string, clientSecret: string, name: string): Promise<ApplicationRef> {
    const id = await this.dataSource.transaction(async (tx) => {
      const [row] = await tx.query<[{ id: string }]>(
        `INSERT INTO applications (id, client_id, client_secret_hash, name) VALUES ($1, $2, $3, $4)
         ON CONFLICT (client_id) DO UPDATE SET client_secret_hash = excluded.client_secret_hash, name = excluded.name
         RETURNING id`,
        [newId(), clientId, sha256(clientSecret), name],
      );
      // Sealed for the id it has got.
      await tx.query('UPDATE applications SET sealed_secret = $2 WHERE id = $1', [
        row.id,
        this.box.seal(clientSecret, row.id),
      ]);
      return row.id;
    });
    return { id, clientId, name };
  }

  /** @returns the secret, shown this once */
  async create(name: string): Promise<{ application: ApplicationRef; clientSecret: string }> {
    const clientSecret = newSecret();
    return { application: await this.upsert(newId(), clientSecret, name), clientSecret };
  }

  /**
   * Gives the application another secret; the one it had is taken for so much longer.
   * @returns the new secret, shown this once
   * @throws NotFound
   */
  async rotateSecret(id: string, graceSeconds: number): Promise<string> {
    const secret = newSecret();
    const [rows]: [unknown[], number] = await this.dataSource.query(
      `UPDATE applications SET former_secret_hash = client_secret_hash, former_sealed_secret = sealed_secret,
         former_secret_until = now() + make_interval(secs => $2), client_secret_hash = $3, sealed_secret = $4,
         updated_at = now()
       WHERE id = $1 RETURNING id`,
      [id, graceSeconds, sha256(secret), this.box.seal(secret, id)],
    );
    if (rows.length === 0) throw new NotFound('application', id);
    return secret;
  }

  /** Changes what is named and leaves the rest. @throws NotFound */
  async change(id: string, { oauthClients = {}, ...settings }: ApplicationChange): Promise<Application> {
    const providers = Object.entries(oauthClients) as [OAuthProvider, OAuthClient | null][];
    const sealed = providers.flatMap(([provider, client]) =>
      client ? [[provider, sealOAuthClient(this.box, id, client)] as const] : [],
    );
    await this.dataSource.query(
      `UPDATE applications SET name = coalesce($2, name),
         icon_url = CASE WHEN $3 THEN $4 ELSE icon_url END,
         primary_color = CASE WHEN $5 THEN $6 ELSE primary_color END,
         redirect_uris = coalesce($7, redirect_uris), api_version = coalesce($8, api_version),
         oauth_clients = (oauth_clients - $9::text[]) || $10::jsonb, updated_at = now()
       WHERE id = $1`,
      [
        id,
        settings.name ?? null,
        settings.iconUrl !== undefined,
        settings.iconUrl ?? null,
        settings.primaryColor !== undefined,
        settings.primaryColor ?? null,
        settings.redirectUris ?? null,
        settings.apiVersion ?? null,
        providers.map(([provider]) => provider),
        JSON.stringify(Object.fromEntries(sealed)),
      ],
    );
    return this.get(id);
  }

  /** Null when the application has not set it up. @throws SealError */
  oauthClient(application: Application, provider: OAuthProvider): OAuthClient | null {
    const stored = application.oauthClients[provider];
    return stored ? openOAuthClient(this.box, application.id, stored) : null;
  }

  /** The oldest application: where the command line connects accounts. Null before the first set-up. */
  async first(): Promise<ApplicationRef | null> {
    const [application] = await this.reader.rows<Application>(
      `SELECT ${COLUMNS} FROM applications ORDER BY id LIMIT 1`,
    );
    return application ?? null;
  }
}
