import { Column, Entity, Index } from 'typeorm';

import { BytewiseColumn, KeyColumn, TimeColumn } from './columns.js';

/** A client of our API. Several share one installation; none sees another's accounts. */
@Entity('applications')
@Index('applications_by_client_id', ['clientId'], { unique: true })
export class Application {
  @KeyColumn('applications_pkey') id: string;
  @BytewiseColumn() clientId: string;
  /** Hex sha-256 of the client secret, which has 129 random bits and so needs no slow hash. */
  @Column('text') clientSecretHash: string;
  /** The same, sealed: webhooks are signed with it. Null for one made before there were any, until it is set again. */
  @Column('text', { nullable: true }) sealedSecret: string | null;
  /** The secret before the last change, which is taken too until then. */
  @Column('text', { nullable: true }) formerSecretHash: string | null;
  @Column('text', { nullable: true }) formerSealedSecret: string | null;
  @TimeColumn({ nullable: true }) formerSecretUntil: Date | null;
  @Column('text') name: string;
  /** Where people may be sent after they signed in. */
  @Column('text', { array: true, default: '{}' }) redirectUris: string[];
  /** How pages for people look: a picture's address and `#rrggbb`. */
  @Column('text', { nullable: true }) iconUrl: string | null;
  @Column('text', { nullable: true }) primaryColor: string | null;
  /** Of the API, where a request names none. */
  @Column('text', { default: '2.5' }) apiVersion: string;
  /** OAuthClients (libs/domain/applications/oauth-clients.ts), secrets sealed. */
  @Column('jsonb', { default: {} }) oauthClients: unknown;
  @TimeColumn({ default: () => 'now()' }) createdAt: Date;
  @TimeColumn({ default: () => 'now()' }) updatedAt: Date;
}
