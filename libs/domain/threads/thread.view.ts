import { z } from 'zod';

import { FolderRef, ParticipantView } from '../messages/message.view.js';

/** What `refreshThreads` renders, plus the categories in the dialect's spelling. Describes; renders nothing. */
const ThreadFields = z.object({
  id: z.string(),
  object: z.literal('thread'),
  namespace_id: z.string(),
  account_id: z.string(),
  subject: z.string(),
  participants: z.array(ParticipantView),
  last_message_timestamp: z.int().describe('Unix seconds of the newest message'),
  last_message_received_timestamp: z.int().nullable(),
  last_message_sent_timestamp: z.int().nullable(),
  first_message_timestamp: z.int(),
  snippet: z.string(),
  unread: z.boolean(),
  starred: z.boolean(),
  has_attachments: z.boolean(),
  version: z.int(),
  message_ids: z.array(z.string()).optional().describe('Oldest first; not with view=expanded'),
  draft_ids: z.array(z.string()).optional().describe('Not with view=expanded'),
  messages: z.array(z.unknown()).optional().describe('With view=expanded: messages without bodies'),
  drafts: z.array(z.unknown()).optional().describe('With view=expanded: drafts without bodies'),
});

export const ThreadView = ThreadFields.extend({
  tags: z
    .array(z.object({ id: z.string(), name: z.string() }))
    .optional()
    .describe('API v1'),
  folders: z.array(FolderRef).optional().describe('API v2, accounts with folders'),
  labels: z.array(FolderRef).optional().describe('API v2, accounts with labels'),
}).meta({ id: 'Thread' });
export type ThreadView = z.infer<typeof ThreadView>;
