import { Column, Entity, Generated, Index } from 'typeorm';

import { BytewiseColumn, KeyColumn, TimeColumn } from './columns.js';

export const actionKinds = [
  'message.update',
  'folder.create',
  'folder.rename',
  'folder.delete',
  'draft.save',
  'draft.delete',
  'sent.save',
  'copies.tidy',
] as const;
export type ActionKind = (typeof actionKinds)[number];

/**
 * A write that the provider has still to hear of, or has heard of. While one is pending, what it wishes is laid over
 * what the provider says; when it is settled, the provider's word counts again (docs/adr/0012-actions.md).
 */
@Entity('actions')
@Index('actions_pending', ['accountId', 'objectId'], { where: "state = 'pending'" })
@Index('actions_unsaved', ['accountId', 'objectId'], {
  where: "kind IN ('draft.save', 'sent.save') AND state <> 'successful'",
})
@Index('actions_saved', ['accountId', 'objectId'], {
  where: "kind IN ('draft.save', 'sent.save') AND state = 'successful'",
})
@Index('actions_deletions', ['accountId', 'objectId'], { where: "kind = 'draft.delete'" })
@Index('actions_blobs', { synchronize: false }) // ((details->>'blobKey'))
@Index('actions_in_order', ['accountId', 'seq'])
@Index('actions_settled', ['settledAt'], { where: 'settled_at IS NOT NULL' })
export class Action {
  @KeyColumn('actions_pkey') accountId: string;
  @KeyColumn('actions_pkey') id: string;
  /** Order within the account: the write lock makes its writers take turns. */
  @Column('bigint') @Generated('increment') seq: string;
  @Column('text') kind: ActionKind;
  /** The message or folder it changes. */
  @BytewiseColumn() objectId: string;
  /** What `message.update` wishes; null for what it leaves as it is. */
  @Column('boolean', { nullable: true }) unread: boolean | null;
  @Column('boolean', { nullable: true }) starred: boolean | null;
  @BytewiseColumn({ nullable: true }) folderId: string | null;
  /** What the others need: paths. */
  @Column('jsonb', { nullable: true }) details: unknown;
  @Column('text', { default: 'pending' }) state: 'pending' | 'successful' | 'failed';
  @Column('integer', { default: 0 }) attempts: number;
  /** Not tried again before this time. */
  @TimeColumn({ nullable: true }) retryAt: Date | null;
  /** Why it failed, or has not succeeded yet: one sentence for people. */
  @Column('text', { nullable: true }) reason: string | null;
  @TimeColumn({ default: () => 'now()' }) createdAt: Date;
  @TimeColumn({ nullable: true }) settledAt: Date | null;
}
