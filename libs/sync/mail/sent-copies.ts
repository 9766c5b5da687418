import type { Tx } from '#libs/changes/account-writer.js';

import type { StoredMessages } from './own-messages.js';

interface Copy {
  readonly uid: number;
  readonly flags: readonly string[] | null;
  readonly receivedAt: Date | null;
  readonly emailId: string | null;
  readonly parsed: { readonly headers: { readonly messageIdHeader: string | null } };
}

/** A message that was, or is to be, sent from here, under the id that it has or will have. */
export interface SentHere {
  readonly id: string;
  /** Null while there is no such message. */
  readonly receivedAt: Date | null;
}

/** The message, once there is one. */
export const stands = ({ id, receivedAt }: SentHere): { id: string; receivedAt: Date } | undefined =>
  receivedAt ? { id, receivedAt } : undefined;

interface SentRow extends SentHere {
  readonly header: string;
  readonly since: Date;
}

const NO_SENT_MAIL = new Set(['drafts', 'trash', 'spam']);

/** Where what the provider files is a copy of what was sent: with labels, wherever it is shown. */
const isFiled = (role: string | null, { emailId, flags }: Copy): boolean =>
  (role === 'sent' || role === 'all' || (emailId?.startsWith('gmail:') === true && !NO_SENT_MAIL.has(role ?? ''))) &&
  flags?.includes('\\Draft') !== true;

/**
 * Which of a batch are copies that a provider filed of what it was given to send, by uid. It may be quicker than its
 * own answer. A Message-ID that the caller chose may have been used before: what is older than the request is no copy.
 */
export async function sentCopies(
  tx: Tx,
  role: string | null,
  batch: readonly Copy[],
): Promise<ReadonlyMap<number, SentHere>> {
  const filed = batch.filter((copy) => isFiled(role, copy) && copy.parsed.headers.messageIdHeader !== null);
  if (filed.length === 0) return new Map();
  const rows = await tx.query<SentRow>(SENT_HERE, [
    tx.accountId,
    [...new Set(filed.map(({ parsed }) => parsed.headers.messageIdHeader))],
  ]);
  const found = filed.flatMap(({ uid, receivedAt, parsed }): [number, SentHere][] => {
    const row = rows.find(({ header }) => header === parsed.headers.messageIdHeader);
    return row && (receivedAt === null || receivedAt >= row.since) ? [[uid, row]] : [];
  });
  return new Map(found);
}

/** What a draft was before it was changed is not looked for, nor what is gone since it was sent. Newest first. */
const SENT_HERE = `
  SELECT send.message_id AS id, send.message_id_header AS header, message.received_at AS "receivedAt",
    send.created_at - interval '10 minutes' AS since
  FROM unnest($2::text[]) AS wanted(header), LATERAL (
    SELECT * FROM sends WHERE account_id = $1 AND message_id_header = wanted.header
      AND state NOT IN ('failed', 'cancelled') OFFSET 0
  ) AS send LEFT JOIN LATERAL (
    SELECT received_at, message_id_header FROM messages WHERE account_id = $1 AND id = send.message_id OFFSET 0
  ) AS message ON true
  WHERE CASE WHEN message.received_at IS NULL THEN send.content IS NOT NULL
             ELSE message.message_id_header = send.message_id_header END
  ORDER BY send.created_at DESC`;

/** Known from now on by what its copy is known by, so that it is known wherever other mail programs take it. */
export async function nameByCopies(
  tx: Tx,
  copies: readonly { readonly messageId: string; readonly identity: string }[],
  stored: StoredMessages,
): Promise<void> {
  const fresh = copies.filter(({ identity }) => !stored.has(identity));
  if (fresh.length === 0) return;
  await tx.query(
    `UPDATE messages SET identity = copy.identity
     FROM (
       SELECT DISTINCT ON (id) * FROM unnest($2::text[], $3::uuid[]) AS copy(id, identity) ORDER BY id
     ) AS copy
     WHERE account_id = $1 AND messages.id = copy.id 
       AND (messages.draft OR messages.identity = md5('draft:' || copy.id)::uuid)`,
    [tx.accountId, fresh.map(({ messageId }) => messageId), fresh.map(({ identity }) => identity)],
  );
}
