import { z } from 'zod';

import type { AccountRef, Dialect } from '../accounts/account-ref.js';
import type { AccountCategories } from '../folders/account-categories.js';

export const ParticipantView = z.object({ name: z.string(), email: z.string() }).meta({ id: 'Participant' });

/** A folder or label as threads and messages name it. */
export const FolderRef = z
  .object({ id: z.string(), name: z.string().nullable().describe('Canonical name, or null'), display_name: z.string() })
  .meta({ id: 'FolderReference' });

const AttachedFile = z
  .object({
    id: z.string(),
    object: z.literal('file'),
    content_type: z.string(),
    filename: z.string().nullable(),
    size: z.int().describe('Bytes'),
    content_id: z.string().optional().describe('Without angle brackets; only when the part has one'),
    content_disposition: z.enum(['attachment', 'inline']),
  })
  .meta({ id: 'AttachedFile' });

const DeliveryFailureView = z
  .object({
    recipient: z.string(),
    action: z.literal('failed'),
    status: z.string().nullable().describe('RFC 3463, e.g. `5.1.1`'),
    diagnostic: z.string().nullable().describe('What the server said'),
    date: z.int().describe('Unix seconds: when the report came'),
    message_id: z.string().describe('The report'),
  })
  .meta({ id: 'DeliveryFailure' });

const MessageFields = z.object({
  id: z.string(),
  namespace_id: z.string(),
  account_id: z.string(),
  subject: z.string(),
  from: z.array(ParticipantView),
  to: z.array(ParticipantView),
  cc: z.array(ParticipantView),
  bcc: z.array(ParticipantView),
  reply_to: z.array(ParticipantView),
  date: z.int().describe('Unix seconds'),
  thread_id: z.string(),
  snippet: z.string(),
  body: z.string().optional().describe('HTML; left out inside an expanded thread'),
  unread: z.boolean(),
  starred: z.boolean(),
  files: z.array(AttachedFile),
  events: z.array(z.unknown()),
  folder: FolderRef.nullable().optional().describe('API v2, accounts with folders'),
  labels: z.array(FolderRef).optional().describe('API v2, accounts with labels'),
  delivery_failures: z
    .array(DeliveryFailureView)
    .optional()
    .describe(
      'Of a sent message that came back: whom it did not reach, as reports said. Anybody can write such a report',
    ),
  headers: z
    .object({
      'Message-Id': z.string().nullable(),
      'In-Reply-To': z.string().nullable(),
      References: z.array(z.string()),
    })
    .optional()
    .describe('With view=expanded'),
});

export const MessageView = MessageFields.extend({ object: z.literal('message') }).meta({ id: 'Message' });
export const DraftView = MessageFields.extend({
  object: z.literal('draft'),
  version: z.int(),
  reply_to_message_id: z.string().nullable().describe('The message it answers, when that is here'),
  send_at: z.int().optional().describe('Unix seconds; only while it waits to be sent'),
}).meta({ id: 'Draft' });
export type MessageView = z.infer<typeof MessageView>;
export type DraftView = z.infer<typeof DraftView>;

/** A row of `messages` as `messageColumns` selects it; JSON columns stay text. */
export interface MessageRow {
  readonly id: string;
  readonly thread_id: string;
  readonly subject: string;
  readonly snippet: string;
  readonly from: string;
  readonly to: string;
  readonly cc: string;
  readonly bcc: string;
  readonly reply_to: string;
  /** Unix seconds, as text. */
  readonly date: string;
  readonly unread: boolean;
  readonly starred: boolean;
  readonly draft: boolean;
  readonly version: number;
  /** Ids joined by commas. */
  readonly categories: string;
  readonly message_id_header: string | null;
  readonly in_reply_to: string | null;
  readonly references: readonly string[];
  /** JSON; null when nothing came back. */
  readonly delivery_failures: string | null;
  /** Absent when bodies were not asked for. */
  readonly body?: string | null;
}

export interface MessageFileRow {
  readonly id: string;
  readonly message_id: string;
  readonly content_type: string;
  readonly filename: string | null;
  readonly size: string;
  readonly content_id: string | null;
  readonly disposition: 'attachment' | 'inline';
}

export interface RenderOptions {
  readonly account: AccountRef;
  readonly dialect: Dialect;
  readonly categories: AccountCategories;
  readonly withHeaders: boolean;
  /** By the id of a draft, the id of the message it answers. */
  readonly answered: ReadonlyMap<string, string>;
  /** By the id of a draft, when it is to be sent: unix seconds, as text. */
  readonly sendAt: ReadonlyMap<string, string>;
}

/** One message or draft as JSON text. Addresses are stored as JSON and go out untouched. */
export function renderMessage(row: MessageRow, files: readonly MessageFileRow[], options: RenderOptions): string {
  const { account, dialect, categories } = options;
  const owner = JSON.stringify(account.id);
  return (
    `{"id":"${row.id}","object":"${row.draft ? 'draft' : 'message'}","namespace_id":${owner},"account_id":${owner}` +
    `,"subject":${JSON.stringify(row.subject)},"from":${row.from},"to":${row.to},"cc":${row.cc},"bcc":${row.bcc}` +
    `,"reply_to":${row.reply_to},"date":${row.date},"thread_id":"${row.thread_id}"` +
    `,"snippet":${JSON.stringify(row.snippet)}` +
    (row.body === undefined ? '' : `,"body":${JSON.stringify(row.body ?? '')}`) +
    `,"unread":${row.unread},"starred":${row.starred},"files":${JSON.stringify(files.map(attachedFile))},"events":[]` +
    categories.messageCategory(row.categories, account.organizationUnit, dialect) +
    (row.delivery_failures === null ? '' : `,"delivery_failures":${row.delivery_failures}`) +
    (options.withHeaders ? `,"headers":${JSON.stringify(headersOf(row))}` : '') +
    (row.draft ? draftFields(row, options) : '') +
    '}'
  );
}

function draftFields({ id, version }: MessageRow, { answered, sendAt }: RenderOptions): string {
  const at = sendAt.get(id);
  const scheduled = at === undefined ? '' : `,"send_at":${at}`;
  return `,"version":${version},"reply_to_message_id":${idOrNull(answered.get(id))}${scheduled}`;
}

const idOrNull = (id: string | undefined): string => (id === undefined ? 'null' : `"${id}"`);

function attachedFile(row: MessageFileRow) {
  return {
    id: row.id,
    object: 'file',
    content_type: row.content_type,
    filename: row.filename,
    size: Number(row.size),
    ...(row.content_id === null ? {} : { content_id: row.content_id }),
    content_disposition: row.disposition,
  };
}

const bracketed = (id: string): string => `<${id}>`;

function headersOf(row: MessageRow) {
  return {
    'Message-Id': row.message_id_header === null ? null : bracketed(row.message_id_header),
    'In-Reply-To': row.in_reply_to === null ? null : bracketed(row.in_reply_to),
    References: row.references.map(bracketed),
  };
}
