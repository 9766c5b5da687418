import { z } from 'zod';

const id = z.string().regex(/^[0-9a-z]{25}$/);

const server = z.object({
  host: z.string(),
  port: z.number(),
  security: z.enum(['tls', 'starttls', 'none']),
  username: z.string(),
  verifyCertificate: z.boolean(),
});

const blob = z.object({ blobKey: z.string(), size: z.number() });

/** Everything the API asks the worker to do while a caller waits: requests, replies, and how long it may take. */
export const remoteCalls = {
  /** Signs in at the mail servers with credentials that are not stored yet. */
  'credentials.verify': {
    request: z.object({
      kind: z.string(),
      settings: z.object({ imap: server, smtp: server.nullable() }),
      secret: z.object({ kind: z.literal('password'), imapPassword: z.string(), smtpPassword: z.string() }),
    }),
    reply: z.object({ folders: z.number() }),
    deadlineMs: 40_000,
  },
  /** Fetches a message as the server has it into the blob store. */
  'message.source': { request: z.object({ accountId: id, messageId: id }), reply: blob, deadlineMs: 55_000 },
  /** Fetches an attachment, transfer encoding undone, into the blob store. */
  'file.content': { request: z.object({ accountId: id, fileId: id }), reply: blob, deadlineMs: 55_000 },
  /** What the provider's own search finds in all folders: ids of messages without drafts, or of threads, newest first. */
  'mail.search': {
    request: z.object({
      accountId: id,
      q: z.string(),
      what: z.enum(['messages', 'threads']),
      limit: z.number(),
      offset: z.number(),
    }),
    reply: z.object({ ids: z.array(id) }),
    deadlineMs: 55_000,
  },
  /** Sends what is written down under this id, unless somebody did. */
  'message.send': {
    request: z.object({ accountId: id, sendId: id }),
    reply: z.object({ messageId: id, failures: z.record(z.string(), z.tuple([z.number(), z.string()])) }),
    deadlineMs: 180_000,
  },
} as const;

export type RemoteCallName = keyof typeof remoteCalls;
export type RemoteRequest<N extends RemoteCallName> = z.infer<(typeof remoteCalls)[N]['request']>;
export type RemoteReply<N extends RemoteCallName> = z.infer<(typeof remoteCalls)[N]['reply']>;

/** A request as the worker takes it up. */
export type TakenCall = {
  [N in RemoteCallName]: { readonly name: N; readonly request: RemoteRequest<N>; readonly channel: string };
}[RemoteCallName];

/** What crosses back: a reply, or an error the API can throw again as it is. */
export type Outcome =
  | { readonly ok: true; readonly reply: unknown }
  | {
      readonly ok: false;
      readonly status: number;
      readonly type: string;
      readonly message: string;
      readonly details?: Readonly<Record<string, unknown>>;
    };
