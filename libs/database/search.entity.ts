import { Column, Entity, Generated, Index } from 'typeorm';

import { BytewiseColumn, KeyColumn, TimeColumn } from './columns.js';

/** How far an account's mail can be searched. */
@Entity('search_accounts')
export class SearchAccount {
  @KeyColumn('search_accounts_pkey') accountId: string;
  /** Stands before each of the account's words in the index, in base 36: shorter than its id. */
  @Column('integer') @Generated('increment') number: number;
  /** Of the change log: what came up to here is in the index, but for what a scan has still to find. */
  @Column('bigint') seq: string;
  /** Messages up to this id have been scanned; null once all are. */
  @BytewiseColumn({ nullable: true }) scanAfter: string | null;
}

/** The words of one message or draft. */
@Entity('search_documents')
@Index('search_documents_by_word', { synchronize: false }) // GIN (words)
export class SearchDocument {
  @KeyColumn('search_documents_pkey') accountId: string;
  @KeyColumn('search_documents_pkey') messageId: string;
  /** These three are the message's as it was read: with another state or version its words may be others by now. */
  @TimeColumn() receivedAt: Date;
  @Column('boolean') draft: boolean;
  @Column('integer') version: number;
  @Column('tsvector') words: string;
}
