import type { Tx } from '#libs/changes/account-writer.js';
import { idIn } from '#libs/domain/messages/own-message-id.js';
import type { ParsedMessage } from '#libs/mime/parsed-message.js';

/** Messages that are stored, by what they are known by. */
export type StoredMessages = ReadonlyMap<string, { readonly id: string; readonly receivedAt: Date }>;

interface OwnRow {
  readonly id: string;
  readonly received_at: Date;
  readonly message_id_header: string | null;
}

/** Where copies of what was written here are put. Elsewhere a Message-ID like ours is just that. */
const OWN_ROLES: ReadonlySet<string | null> = new Set(['drafts', 'sent']);

/**
 * Messages written here of which this batch has copies, by the copies' Message-ID. Of a draft there may be copies of
 * older versions; what was sent is what it is.
 */
export async function ownMessages(
  tx: Tx,
  role: string | null,
  batch: readonly { readonly parsed: ParsedMessage }[],
): Promise<StoredMessages> {
  const headers = OWN_ROLES.has(role)
    ? batch.map((read) => read.parsed.headers.messageIdHeader).filter((header) => header !== null)
    : [];
  const ids = headers.map(idIn).filter((id) => id !== null);
  if (ids.length === 0) return new Map();
  const rows = await tx.query<OwnRow>(
    'SELECT id, received_at, message_id_header FROM messages WHERE account_id = $1 AND id = ANY($2) AND made_here',
    [tx.accountId, ids],
  );
  const own = new Map(rows.map((row) => [row.id, row]));
  return new Map(
    headers.flatMap((header) => {
      const row = own.get(idIn(header) ?? '');
      if (!row || (role === 'sent' && row.message_id_header !== header)) return [];
      return [[header, { id: row.id, receivedAt: row.received_at }]];
    }),
  );
}
