import { Injectable } from '@nestjs/common';

import { Reader } from '#libs/database/reader.js';

import type { AccountRef } from '../accounts/account-ref.js';
import { MessagesService } from '../messages/messages.service.js';

import { type NotificationFacts, payloadOf } from './payload.js';

/** Bodies of notifications that carry what they tell of. */
@Injectable()
export class NotificationBodies {
  constructor(
    private readonly reader: Reader,
    private readonly messages: MessagesService,
  ) {}

  /** With the message as it is now, as reading it answers; one that is gone is told of with its id alone. */
  async full(facts: NotificationFacts): Promise<string> {
    const account = facts.object === 'message' ? await this.account(facts.accountId) : null;
    if (!account) return payloadOf(facts);
    const found = await this.messages.byIds(account, 'message', [facts.objectId], {
      dialect: 'v2',
      withHeaders: false,
    });
    return payloadOf(facts, found.get(facts.objectId) ?? null);
  }

  private async account(id: string): Promise<AccountRef | null> {
    const [account] = await this.reader.rows<{ id: string; organizationUnit: 'folder' | 'label' }>(
      'SELECT id, organization_unit AS "organizationUnit" FROM accounts WHERE id = $1',
      [id],
      'account-of-notification',
    );
    return account ?? null;
  }
}
