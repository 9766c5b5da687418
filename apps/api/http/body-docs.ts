import { ApiBody } from '@nestjs/swagger';
import { z } from 'zod';

type SchemaHost = Extract<Parameters<typeof ApiBody>[0], { schema: unknown }>;

/** Documents a request body. What is taken is up to whoever reads it: clients send more than they have to. */
export function BodyOf(schema: z.ZodType, { required = true } = {}): MethodDecorator {
  return ApiBody({ schema: documented(schema), required });
}

/** Of `POST /send`: one of these, or a message as bytes. */
export function SendBody(): MethodDecorator {
  const raw = { type: 'string', format: 'binary', description: 'A message as it is, as `message/rfc822`' } as const;
  return ApiBody({ schema: { oneOf: [documented(DraftSending), documented(NewMessage), raw] } });
}

function documented(schema: z.ZodType): SchemaHost['schema'] {
  const { $schema: _, ...body } = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' });
  return body as SchemaHost['schema'];
}

export const MessageChange = z.object({
  unread: z.boolean().optional(),
  starred: z.boolean().optional(),
  folder_id: z.string().optional().describe('Where it is to lie'),
});

const tags = (verb: string) => z.array(z.string()).optional().describe(`Ids or names of tags to ${verb} (API v1)`);

export const ThreadChange = MessageChange.extend({
  add_tags: tags('add'),
  remove_tags: tags('take off, before others are added'),
  version: z.int().optional().describe('409 when the thread has another by now'),
});

export const FolderNaming = z.object({ display_name: z.string().max(191).describe('`/` between levels') });

export const TagNaming = z.object({ name: z.string().max(191).describe('Stored in lower case') });

const people = (whom: string) =>
  z
    .array(z.object({ email: z.string(), name: z.string().optional() }))
    .optional()
    .describe(whom);

export const DraftFacts = z.object({
  subject: z.string().optional().describe('Of an answer by default that of what is answered'),
  body: z.string().optional().describe('HTML; shows attached images by `cid:` and the id of the file'),
  to: people('Those it is sent to'),
  cc: people('Those who get a copy'),
  bcc: people('Those who get a copy of which the others do not know'),
  from: people('At most one; by default the owner of the account'),
  reply_to: people('At most one'),
  thread_id: z.string().optional().describe('Answers the last message of this thread'),
  reply_to_message_id: z.string().optional().describe('Answers this message'),
  file_ids: z
    .array(z.string())
    .optional()
    .describe('All files it is to have, uploads or attachments of other messages'),
});

const version = z.int().describe('The one that was read; 409 when the draft has another by now');

export const DraftChange = DraftFacts.extend({ version });

export const DraftRemoval = z.object({ version: version.optional() });

const later = {
  send_at: z.int().optional().describe('Unix seconds, in the future and at most 365 days from now'),
  retry_limit_datetime: z.int().optional().describe('Unix seconds; given up then, by default a day after `send_at`'),
};

export const DraftSending = z.object({ draft_id: z.string(), version, ...later });

export const NewMessage = DraftFacts.extend(later);

export const OutboxMessage = z.union([DraftSending, NewMessage]);

export const OutboxChange = z.object({ send_at: z.int(), retry_limit_datetime: later.retry_limit_datetime });
