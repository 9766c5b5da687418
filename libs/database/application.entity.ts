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
  @Column('text') name: string;
  @TimeColumn({ default: () => 'now()' }) createdAt: Date;
}
