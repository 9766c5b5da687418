import { Column, Entity, Index } from 'typeorm';

import { BytewiseColumn, KeyColumn, TimeColumn } from './columns.js';

/**
 * `scheduled`: waits for its time, or for the next try after a server that could not take it. `sending`: a worker is at it, and nothing irrevocable has happened. `committing`: the server may have taken the message.
 * `unknown`: whether it did was never heard; while `settledAt` is null its copy is looked for. From `committing` on
 * nobody tries again.
 */
export type SendState =
  'pending' | 'scheduled' | 'sending' | 'committing' | 'sent' | 'failed' | 'unknown' | 'cancelled';

/** A message on its way out. */
@Entity('sends')
@Index('sends_by_key', ['accountId', 'idempotencyKey'], { unique: true })
@Index('sends_by_header', ['accountId', 'messageIdHeader'])
@Index('sends_unknown', ['accountId'], { where: "state = 'unknown'" })
@Index('sends_settled', ['settledAt'], { where: 'settled_at IS NOT NULL' })
@Index('sends_contents', ['accountId'], { where: 'settled_at IS NULL AND content IS NOT NULL' })
@Index('sends_due', ['dueAt'], { where: "state = 'scheduled'" })
@Index('sends_open', ['accountId', 'messageId'], {
  where: "state IN ('pending', 'scheduled', 'sending', 'committing')",
})
export class Send {
  @KeyColumn('sends_pkey') accountId: string;
  @KeyColumn('sends_pkey') id: string;
  /** The draft that is sent, or the message that there will be. */
  @BytewiseColumn() messageId: string;
  /** Message-ID that goes over the wire, by which a copy is known. */
  @Column('text', { nullable: true }) messageIdHeader: string | null;
  /** What is sent, when it is no draft. */
  @Column('jsonb', { nullable: true }) content: unknown;
  @Column('text', { default: 'pending' }) state: SendState;
  /** The caller's name for this request: the same one again is answered, not done again. */
  @BytewiseColumn({ nullable: true }) idempotencyKey: string | null;
  @Column('text', { nullable: true }) requestHash: string | null;
  /** Renewed by the worker that is at it; one that lets it pass has died. */
  @TimeColumn({ nullable: true }) claimedUntil: Date | null;
  /** How often a worker took it up: what one that lost it says counts no more. */
  @Column('integer', { default: 0 }) claims: number;
  /** When it is to be sent; null for what somebody waits for. */
  @TimeColumn({ nullable: true }) sendAt: Date | null;
  /** As it was wished first. */
  @TimeColumn({ nullable: true }) originalSendAt: Date | null;
  /** When a worker takes it up next. */
  @TimeColumn({ nullable: true }) dueAt: Date | null;
  /** Not tried again after this time. */
  @TimeColumn({ nullable: true }) retryUntil: Date | null;
  /** Of an unknown outcome: how long its copy is waited for. */
  @TimeColumn({ nullable: true }) lookUntil: Date | null;
  /** What the caller is told: recipients that were refused, or the error. */
  @Column('jsonb', { nullable: true }) answer: unknown;
  @TimeColumn({ default: () => 'now()' }) createdAt: Date;
  @TimeColumn({ nullable: true }) settledAt: Date | null;
}
