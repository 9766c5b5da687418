import { Injectable } from '@nestjs/common';

import type { Watch } from '../folder-visits.js';

import { ActionStore, type PendingAction } from './action-store.js';
import { CopyEffects } from './copy-effects.js';
import { DraftEffects } from './draft-effects.js';
import { FolderEffects } from './folder-effects.js';
import { MessageEffects } from './message-effects.js';
import { SentEffects } from './sent-effects.js';

/**
 * Writes to the provider what an account's users want, in the order in which they wanted it. Runs inside the account's
 * session, between its passes: nobody else reads the mailbox meanwhile, so nothing read is older than what was written
 * (docs/adr/0012-actions.md).
 */
@Injectable()
export class Syncback {
  constructor(
    private readonly store: ActionStore,
    private readonly messages: MessageEffects,
    private readonly folders: FolderEffects,
    private readonly drafts: DraftEffects,
    private readonly sent: SentEffects,
    private readonly copies: CopyEffects,
  ) {}

  /**
   * Does everything that is due; of `mail` only what changes no folders, up to the first that does.
   * @returns when to come back for what has to wait; Infinity when there is nothing
   * @throws ProviderError when the account is in trouble; nothing of what was asked for is lost
   */
  async run(watch: Watch, what: 'mail' | 'all' = 'all'): Promise<number> {
    for (;;) {
      if (watch.signal.aborted) return Infinity;
      const { id, epoch } = watch.account;
      const { batch, wakeAt } = nextBatch(await this.store.pending(id, epoch), Date.now());
      const [first] = batch;
      if (!first) return wakeAt;
      if (what === 'mail' && first.kind.startsWith('folder.')) return Date.now();
      await this.carryOut(watch, first, batch);
    }
  }

  private carryOut(watch: Watch, first: PendingAction, batch: readonly PendingAction[]): Promise<void> {
    const { kind } = first;
    switch (kind) {
      case 'message.update':
        return this.messages.run(watch, batch);
      case 'folder.create':
      case 'folder.rename':
      case 'folder.delete':
        return this.folders.run(watch, { ...first, kind });
      case 'draft.save':
      case 'draft.delete':
        return this.drafts.run(watch, first);
      case 'sent.save':
        return this.sent.run(watch, first);
      case 'copies.tidy':
        return this.copies.run(watch, first);
      default:
        return kind satisfies never;
    }
  }
}

/**
 * Actions that can be done together: of messages as many as there are in a row, of anything else one. What has to wait
 * keeps back the later ones of the same object; a folder keeps back everything, for messages may be meant to go there.
 * @param wakeAt when something is due that is not yet; Infinity when nothing is
 */
export function nextBatch(
  pending: readonly PendingAction[],
  now: number,
): { readonly batch: readonly PendingAction[]; readonly wakeAt: number } {
  const batch: PendingAction[] = [];
  const waiting = new Set<string>();
  let wakeAt = Infinity;
  for (const action of pending) {
    const due = action.retryAt?.getTime() ?? 0;
    const alone = action.kind !== 'message.update';
    if (alone && batch.length > 0) break;
    if (waiting.has(action.objectId)) continue;
    if (due <= now) batch.push(action);
    else {
      waiting.add(action.objectId);
      wakeAt = Math.min(wakeAt, due);
    }
    if (alone && (batch.length > 0 || action.kind.startsWith('folder.'))) break;
  }
  return { batch, wakeAt };
}
