/**
 * SQL: whether this message is to be sent, is being sent, or may have been sent. Until that is settled it, and its
 * files, stay. Each half has its index.
 */
export const onItsWay = (accountId: string, messageId: string): string => `(
  EXISTS (
    SELECT FROM sends WHERE account_id = ${accountId} AND message_id = ${messageId}
      AND state IN ('pending', 'scheduled', 'sending', 'committing') OFFSET 0)
  OR EXISTS (
    SELECT FROM sends WHERE account_id = ${accountId} AND message_id = ${messageId}
      AND state = 'unknown' AND settled_at IS NULL OFFSET 0))`;

/**
 * SQL: whether the provider has still to get what was written here, or refused it: there may be no other copy. Each half
 * has its index (`actions_unsaved`, `actions_saved`).
 */
export const isUnsaved = (accountId: string, messageId: string): string => `EXISTS (
  SELECT FROM (
    SELECT seq, kind FROM actions WHERE account_id = ${accountId} AND object_id = ${messageId}
      AND kind IN ('draft.save', 'sent.save') AND state <> 'successful' OFFSET 0
  ) AS unsaved WHERE NOT EXISTS (
    SELECT FROM (
      SELECT seq, kind FROM actions WHERE account_id = ${accountId} AND object_id = ${messageId}
        AND kind IN ('draft.save', 'sent.save') AND state = 'successful' OFFSET 0
    ) AS saved WHERE saved.kind = unsaved.kind AND saved.seq > unsaved.seq))`;
