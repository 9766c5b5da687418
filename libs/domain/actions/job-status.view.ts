import { z } from 'zod';

import type { ActionKind } from '#libs/database/action.entity.js';
import type { SendState } from '#libs/database/send.entity.js';

export const JobStatusView = z
  .object({
    id: z.string(),
    job_status_id: z.string(),
    account_id: z.string(),
    namespace_id: z.string(),
    action: z
      .string()
      .describe(
        '`update_message`, `create_folder`, `update_folder`, `delete_folder`, `save_draft`, `delete_draft`, `save_sent_message`, `remove_surplus_copy`, `send_message`',
      ),
    object: z.enum(['message', 'folder', 'draft']),
    message_id: z
      .string()
      .optional()
      .describe('With `send_message` the draft, or the message that it became or is to become'),
    folder_id: z.string().optional(),
    draft_id: z.string().optional(),
    status: z.enum(['pending', 'successful', 'failed', 'cancelled']),
    reason: z.string().nullable().describe('Why it failed, or has not succeeded yet'),
    created_at: z.int().describe('Unix seconds'),
    send_at: z.int().optional().describe('Unix seconds; of a message that is or was to be sent later'),
    original_send_at: z.int().optional().describe('Unix seconds; as it was wished first'),
  })
  .meta({ id: 'JobStatus' });
export type JobStatusView = z.infer<typeof JobStatusView>;

/** A row of `actions`, or one of `sends` spelled like one. */
export interface JobRow {
  readonly id: string;
  readonly kind: ActionKind | 'message.send';
  readonly object_id: string;
  readonly state: JobStatusView['status'] | SendState;
  /** An unknown outcome is open as long as a copy is expected. */
  readonly settled: boolean;
  readonly reason: string | null;
  readonly created_at: Date;
  readonly send_at: Date | null;
  readonly original_send_at: Date | null;
}

const names: Readonly<Record<JobRow['kind'], { readonly action: string; readonly object: JobStatusView['object'] }>> = {
  'message.update': { action: 'update_message', object: 'message' },
  'folder.create': { action: 'create_folder', object: 'folder' },
  'folder.rename': { action: 'update_folder', object: 'folder' },
  'folder.delete': { action: 'delete_folder', object: 'folder' },
  'draft.save': { action: 'save_draft', object: 'draft' },
  'draft.delete': { action: 'delete_draft', object: 'draft' },
  'sent.save': { action: 'save_sent_message', object: 'message' },
  'copies.tidy': { action: 'remove_surplus_copy', object: 'message' },
  'message.send': { action: 'send_message', object: 'message' },
};

function statusOf({ state, settled }: JobRow): JobStatusView['status'] {
  switch (state) {
    case 'pending':
    case 'scheduled':
    case 'sending':
    case 'committing':
      return 'pending';
    case 'successful':
    case 'sent':
      return 'successful';
    case 'unknown':
      return settled ? 'failed' : 'pending';
    case 'failed':
    case 'cancelled':
      return state;
    default:
      return state satisfies never;
  }
}

const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);

export function toJobStatusView(accountId: string, row: JobRow): JobStatusView {
  const { action, object } = names[row.kind];
  return {
    id: row.id,
    job_status_id: row.id,
    account_id: accountId,
    namespace_id: accountId,
    action,
    object,
    [`${object}_id`]: row.object_id,
    status: statusOf(row),
    reason: row.reason,
    created_at: seconds(row.created_at),
    ...(row.send_at && { send_at: seconds(row.send_at) }),
    ...(row.original_send_at && { original_send_at: seconds(row.original_send_at) }),
  };
}
