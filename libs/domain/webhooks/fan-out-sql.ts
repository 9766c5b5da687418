/**
 * Reads the next changes of some accounts, inserts what their webhooks are to be told of them, and moves the positions.
 * $1, $2: accounts and positions; $3: most changes of each; $4, $5: kinds of log lines and their triggers; $6: the time,
 * as ids begin with it.
 *
 * A message that is gone by now is told of with nothing but its id. A reply is a message that answers one sent from the
 * account, and came after the account was connected.
 */
export const DELIVERIES_OF_CHANGES = `
WITH portion AS MATERIALIZED (
  SELECT a.application_id, a.linked_at, c.*
  FROM unnest($1::text[], $2::bigint[]) AS cursor(account_id, seq)
  JOIN accounts a ON a.id = cursor.account_id
  CROSS JOIN LATERAL (
    SELECT account_id, seq, object_type, object_id, event, created_at FROM changes
    WHERE account_id = cursor.account_id AND seq > cursor.seq ORDER BY account_id, seq LIMIT $3
  ) c
), ends AS (
  SELECT account_id, max(seq) AS seq, count(*) AS count FROM portion GROUP BY account_id
), moved AS (
  UPDATE webhook_cursors w SET seq = ends.seq FROM ends WHERE w.account_id = ends.account_id
), mail AS MATERIALIZED (
  SELECT p.*, m.thread_id, m.received_at, m.in_reply_to, m.sent
  FROM portion p LEFT JOIN messages m ON m.account_id = p.account_id AND m.id = p.object_id
  WHERE p.object_type = 'message' AND p.event <> 'delete'
), news (application_id, linked_at, account_id, seq, created_at, trigger, object, object_id, attributes, metadata,
         received_at) AS (
  SELECT application_id, linked_at, account_id, seq, created_at,
    CASE event WHEN 'create' THEN 'message.created' ELSE 'message.updated' END, 'message', object_id,
    CASE WHEN thread_id IS NOT NULL THEN jsonb_build_object(
      'received_date', extract(epoch FROM received_at)::bigint, 'thread_id', thread_id) END,
    NULL::jsonb, received_at
  FROM mail
  UNION ALL
  SELECT m.application_id, m.linked_at, m.account_id, m.seq, m.created_at, 'thread.replied', 'message', m.object_id,
    NULL::jsonb,
    jsonb_build_object('message_id', m.object_id, 'reply_to_message_id', answered.id, 'thread_id', m.thread_id,
      'from_self', false, 'timestamp', extract(epoch FROM m.received_at)::bigint),
    m.received_at
  FROM mail m CROSS JOIN LATERAL (
    SELECT s.id FROM messages s
    WHERE s.account_id = m.account_id AND s.thread_id = m.thread_id AND s.message_id_header = m.in_reply_to
      AND s.sent AND NOT s.draft LIMIT 1
  ) answered
  WHERE m.event = 'create' AND NOT m.sent AND m.received_at >= m.linked_at AND EXISTS (
    SELECT FROM webhooks w WHERE w.application_id = m.application_id AND 'thread.replied' = ANY(w.triggers))
  UNION ALL
  SELECT p.application_id, p.linked_at, p.account_id, p.seq, p.created_at, told.trigger,
    CASE WHEN told.trigger = 'message.bounced' THEN 'message' ELSE 'account' END,
    coalesce(e.details->>'messageId', p.account_id), NULL::jsonb,
    CASE WHEN told.trigger = 'message.bounced' THEN jsonb_build_object('message_id', e.details->>'messageId',
      'bounce_message_id', e.details->>'bounceId', 'timestamp', extract(epoch FROM e.at)::bigint) END,
    NULL::timestamptz
  FROM portion p
  JOIN account_events e ON e.account_id = p.account_id AND e.id = p.object_id
  JOIN unnest($4::text[], $5::text[]) AS told(kind, trigger) ON told.kind = e.kind
  WHERE p.object_type = 'notice'
), made AS (
  INSERT INTO webhook_deliveries (webhook_id, id, account_id, lane, trigger, object, object_id, attributes, metadata,
    occurred_at, state, settled_at)
  SELECT w.id, $6 || left(replace(gen_random_uuid()::text, '-', ''), 16), n.account_id,
    CASE WHEN w.in_order THEN n.account_id END, n.trigger, n.object, n.object_id, n.attributes, n.metadata, n.created_at,
    CASE WHEN w.state = 'failed' THEN 'failed' ELSE 'pending' END, CASE WHEN w.state = 'failed' THEN now() END
  FROM news n JOIN webhooks w ON w.application_id = n.application_id
  WHERE w.state <> 'inactive' AND n.trigger = ANY(w.triggers) AND n.created_at >= w.created_at
    AND (n.received_at IS NULL OR ((w.include_history OR n.received_at >= n.linked_at)
      AND (w.notify_from IS NULL OR n.received_at >= w.notify_from)))
  ORDER BY n.account_id, n.seq, n.trigger
  RETURNING webhook_id, state
)
SELECT (SELECT array_agg(DISTINCT webhook_id) FROM made WHERE state = 'pending') AS webhooks,
  (SELECT array_agg(account_id) FROM ends WHERE count = $3) AS unfinished`;
