import { Column, Entity, Generated, Index, PrimaryColumn } from 'typeorm';

import { BytewiseColumn, KeyColumn, TimeColumn } from './columns.js';

/** `failing`: nearly nothing got through for a quarter of an hour; `failed`: for three days, and we have stopped trying. */
export const webhookStates = ['active', 'inactive', 'failing', 'failed'] as const;
export type WebhookState = (typeof webhookStates)[number];

/** An address of an application that is told of changes. */
@Entity('webhooks')
@Index('webhooks_by_application', ['applicationId', 'id'])
export class Webhook {
  @KeyColumn('webhooks_pkey') id: string;
  @BytewiseColumn() applicationId: string;
  @Column('text') callbackUrl: string;
  @Column('text', { array: true }) triggers: string[];
  @Column('text', { default: 'active' }) state: WebhookState;
  /** What is told of an account waits until what was to be told before has been delivered or given up. */
  @Column('boolean', { default: false }) inOrder: boolean;
  /** Carries the objects as they are when it is sent, not only their ids. */
  @Column('boolean', { default: false }) fullObjects: boolean;
  /** Also tells of messages from before the account was connected, as they are read. */
  @Column('boolean', { default: true }) includeHistory: boolean;
  /** Tells of no messages received before. */
  @TimeColumn({ nullable: true }) notifyFrom: Date | null;
  /** Since when nearly nothing gets through. */
  @TimeColumn({ nullable: true }) badSince: Date | null;
  /** The run that delivers to it now; another one may when its time is over. */
  @Column('text', { nullable: true }) leaseOwner: string | null;
  @TimeColumn({ nullable: true }) leaseUntil: Date | null;
  @TimeColumn({ default: () => 'now()' }) createdAt: Date;
  @TimeColumn({ default: () => 'now()' }) updatedAt: Date;
}

/** How far an account's change log has been turned into deliveries: moved in the transaction that inserts them. */
@Entity('webhook_cursors')
export class WebhookCursor {
  @KeyColumn('webhook_cursors_pkey') accountId: string;
  @Column('bigint') seq: string;
}

export type DeliveryState = 'pending' | 'delivered' | 'failed';

/** One thing that one webhook is told, and how that went. */
@Entity('webhook_deliveries')
@Index('webhook_deliveries_due', ['webhookId', 'dueAt', 'seq'], { where: "state = 'pending'" })
@Index('webhook_deliveries_in_order', ['webhookId', 'lane', 'seq'], {
  where: "state = 'pending' AND lane IS NOT NULL",
})
@Index('webhook_deliveries_by_account', ['accountId'])
export class WebhookDelivery {
  @KeyColumn('webhook_deliveries_pkey') webhookId: string;
  @KeyColumn('webhook_deliveries_pkey') id: string;
  /** In the order of the change log, for one account. */
  @Column('bigint') @Generated('increment') seq: string;
  @BytewiseColumn() accountId: string;
  /** The account where order matters. */
  @BytewiseColumn({ nullable: true }) lane: string | null;
  @Column('text') trigger: string;
  @Column('text') object: string;
  @BytewiseColumn() objectId: string;
  @Column('jsonb', { nullable: true }) attributes: unknown;
  @Column('jsonb', { nullable: true }) metadata: unknown;
  @TimeColumn() occurredAt: Date;
  @Column('text', { default: 'pending' }) state: DeliveryState;
  /** Since it was made or replayed. */
  @Column('integer', { default: 0 }) attempts: number;
  @TimeColumn({ default: () => 'now()' }) dueAt: Date;
  /** Attempts (libs/domain/webhooks/delivery.view.ts), oldest first. */
  @Column('jsonb', { default: [] }) history: unknown;
  @TimeColumn({ nullable: true }) settledAt: Date | null;
}

/** What came of the attempts of one minute: a webhook's state is judged by it. */
@Entity('webhook_tallies')
export class WebhookTally {
  @KeyColumn('webhook_tallies_pkey') webhookId: string;
  @PrimaryColumn('timestamptz', { primaryKeyConstraintName: 'webhook_tallies_pkey' }) minute: Date;
  @Column('integer') good: number;
  @Column('integer') bad: number;
}
