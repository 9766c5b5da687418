import type { Tx } from '#libs/changes/account-writer.js';
import { queueActions } from '#libs/domain/actions/actions.js';
import { idIn } from '#libs/domain/messages/own-message-id.js';
import { isUnsaved, onItsWay } from '#libs/domain/send/on-its-way.js';
import { type DraftKey, isSamePrint, printOf } from '#libs/mime/draft-print.js';
import type { ParsedMessage } from '#libs/mime/parsed-message.js';

import { draftKeyOf } from './draft-key.js';
import {
  isOurs,
  isTakenBack,
  judgeCopy,
  type JudgedCopy,
  type OwnCopy,
  type OwnMessage,
  type Verdict,
} from './judge-copy.js';

/** Messages that are stored, by what they are known by. */
export type StoredMessages = ReadonlyMap<string, { readonly id: string; readonly receivedAt: Date }>;

interface OwnRow extends OwnMessage {
  readonly id: string;
  readonly receivedAt: Date;
  /** Uid of its newest copy in the folder. */
  readonly newest: string | null;
}

/** A deletion that the provider has still to hear of, has heard of, or refused. */
interface Deletion {
  readonly id: string;
  readonly state: 'pending' | 'successful' | 'failed';
  /** Uids of this folder. */
  readonly uids: readonly string[];
  readonly version: number;
  readonly madeHere: boolean;
  /** It goes on as a message in other folders. */
  readonly kept: boolean;
}

interface Copy extends OwnCopy {
  readonly uid: number;
  /** The message that it is a copy of by all that can be told of it; undefined when none is stored. */
  readonly storedId: string | undefined;
}

type OneOfOurs = Copy & JudgedCopy;

/** A draft, and the copy that says what it is from now on. */
export interface Edit {
  readonly id: string;
  readonly receivedAt: Date;
  readonly parsed: ParsedMessage;
}

/** What is known of the copies of a batch that are, or were, of something written or deleted here. By uid. */
export interface OwnCopies {
  readonly known: ReadonlyMap<number, { readonly id: string; readonly receivedAt: Date }>;
  /** Of what another mail program edited: the draft is what they say. In the order of their uids. */
  readonly edited: readonly Edit[];
  /** Not to be stored: they are, or will be, removed. */
  readonly unwanted: ReadonlySet<number>;
  /** Of drafts whose deletion the provider refused: they are what they were. */
  readonly restored: ReadonlyMap<number, Deletion>;
}

const NONE: OwnCopies = { known: new Map(), edited: [], unwanted: new Set(), restored: new Map() };

/** Where copies of what was written here are put. Elsewhere a Message-ID like ours is just that. */
export const hasCopies = (role: string | null): role is 'drafts' | 'sent' => role === 'drafts' || role === 'sent';

/** Reads what a batch may have copies of. @returns what to make of those that are new */
export async function ownCopies(
  tx: Tx,
  { id: folderId, role }: { readonly id: string; readonly role: string | null },
  batch: readonly Omit<Copy, 'storedId'>[],
): Promise<(fresh: readonly Copy[]) => Promise<OwnCopies>> {
  if (!hasCopies(role)) return async () => NONE;
  const ids = [...new Set(batch.map(ownId).filter((id) => id !== null))];
  const sealed = batch.some(({ parsed }) => parsed.headers.draftSeal !== null);
  const [rows, deletions, key] = await Promise.all([
    ids.length > 0 ? tx.query<OwnRow>(OWN, [tx.accountId, ids, folderId]) : [],
    role === 'drafts' ? deletionsOf(tx, folderId, ids, batch) : [],
    sealed ? draftKeyOf(tx.accountId, (sql, parameters) => tx.query<DraftKey>(sql, parameters)) : null,
  ]);
  return async (fresh) => {
    const judged = fresh.map((copy) => ({ ...copy, ours: key !== null && isOurs(copy, key) }));
    const copies = sort(role, judged, new Map(rows.map((row) => [row.id, row])), deletions);
    await queueTidying(tx, folderId, copies.surplus);
    return copies;
  };
}

const ownId = ({ parsed }: Pick<Copy, 'parsed'>): string | null => idIn(parsed.headers.messageIdHeader);

const OWN = `
  SELECT id, received_at AS "receivedAt", message_id_header AS "messageIdHeader", version, draft, sent,
    draft_print AS "draftPrint", ${isUnsaved('$1', 'messages.id')} AS unsaved, ${onItsWay('$1', 'messages.id')} AS "onItsWay",
    (
      SELECT max(uid) FROM (
        SELECT folder_id, uid FROM message_uids WHERE account_id = $1 AND message_id = messages.id OFFSET 0
      ) AS held WHERE folder_id = $3 AND uid > 0
    ) AS newest
  FROM messages WHERE account_id = $1 AND id = ANY($2) AND made_here`;

/** Of drafts that are gone here, or are none any more, by the Message-IDs of their copies or by where these lay. */
async function deletionsOf(
  tx: Tx,
  folderId: string,
  ids: readonly string[],
  batch: readonly Pick<Copy, 'uid'>[],
): Promise<Deletion[]> {
  return tx.query<Deletion>(
    `SELECT known.id, state, version, "madeHere", kept, lay.uids
     FROM (
       SELECT object_id AS id, state, details->'places' AS places,
         coalesce((details->>'version')::int, 0) AS version, coalesce((details->>'madeHere')::bool, false) AS "madeHere",
         EXISTS (SELECT FROM messages WHERE account_id = $1 AND id = object_id OFFSET 0) AS kept
       FROM actions WHERE account_id = $1 AND kind = 'draft.delete'
         -- Where it lay counts as long as it may lie there still.
         AND (object_id = ANY($3) OR state <> 'successful') OFFSET 0
     ) AS known, LATERAL (
       SELECT coalesce(array_agg((place->>'uid')::bigint::text), '{}') AS uids
       FROM jsonb_array_elements(places) AS place
       JOIN folder_syncs sync ON sync.account_id = $1 AND sync.folder_id = $2
       WHERE place->>'folderId' = $2 AND place->>'uidValidity' = sync.cursor->>'uidValidity'
     ) AS lay
     WHERE (state = 'pending' OR NOT kept) AND (known.id = ANY($3) OR lay.uids && $4::text[])`,
    [tx.accountId, folderId, ids, batch.map(({ uid }) => String(uid))],
  );
}

/** A copy that is of no use. */
interface Surplus {
  readonly id: string;
  readonly uid: number;
  /** It may be the only one by now: it goes only if there is another like it. */
  readonly twin: boolean;
}

function sort(
  role: 'drafts' | 'sent',
  fresh: readonly OneOfOurs[],
  rows: ReadonlyMap<string, OwnRow>,
  deletions: readonly Deletion[],
): OwnCopies & { readonly surplus: readonly Surplus[] } {
  const now = new Date();
  const known = new Map<number, { id: string; receivedAt: Date }>();
  const edited: Edit[] = [];
  const unwanted = new Set<number>();
  const restored = new Map<number, Deletion>();
  const surplus: Surplus[] = [];
  const gone = deletions.filter(({ kept }) => !kept);
  const last = lastSeen(fresh, rows);
  for (const copy of fresh.toSorted((one, other) => one.uid - other.uid)) {
    const { uid, parsed } = copy;
    if (deletions.some(({ kept, uids }) => kept && uids.includes(String(uid)))) {
      unwanted.add(uid);
      continue;
    }
    const row = rows.get(ownId(copy) ?? '');
    const judged = row ? verdictOf(role, copy, row, last.get(row.id) ?? 0) : 'foreign';
    const verdict = isKnownOtherwise(copy, row, judged) ? 'foreign' : judged;
    if (row && (verdict === 'copy' || verdict === 'edited')) {
      const { id } = row;
      const hasTwin = row.newest !== null || [...known.values()].some((other) => other.id === id);
      if (verdict === 'copy' && hasTwin && !row.unsaved) surplus.push({ id, uid, twin: true });
      if (verdict === 'edited') edited.push({ id, receivedAt: now, parsed });
      known.set(uid, { id, receivedAt: verdict === 'edited' ? now : row.receivedAt });
    } else if (row && verdict === 'stale') {
      unwanted.add(uid);
      surplus.push({ id: row.id, uid, twin: false });
    } else if (!row) {
      const deletion = deletionOf(copy, gone);
      if (deletion?.state === 'failed') {
        if (![...restored.values()].includes(deletion)) restored.set(uid, deletion);
      } else if (deletion) {
        unwanted.add(uid);
        // One that is still to be done finds it.
        if (deletion.state === 'successful') surplus.push({ id: deletion.id, uid, twin: false });
      }
    }
  }
  return { known, edited, unwanted, restored, surplus };
}

function verdictOf(role: 'drafts' | 'sent', copy: OneOfOurs, row: OwnRow, last: number): Verdict {
  const judged = judgeCopy(role, copy, row);
  const verdict = judged === 'stale' && isTakenBack(copy, row) ? 'edited' : judged;
  // What that program made of it since is what it is.
  return verdict === 'edited' && role === 'drafts' && copy.uid < last ? 'copy' : verdict;
}

/** Uids of the newest copies of drafts that are what another mail program made of them. */
function lastSeen(fresh: readonly Copy[], rows: ReadonlyMap<string, OwnRow>): Map<string, number> {
  const last = new Map<string, number>();
  for (const { id, draftPrint, newest } of rows.values()) if (draftPrint !== null) last.set(id, Number(newest));
  for (const copy of fresh) {
    const row = rows.get(ownId(copy) ?? '');
    const before = row && last.get(row.id);
    if (before === undefined || !isSamePrint(printOf(copy.parsed), row?.draftPrint ?? '')) continue;
    last.set(row!.id, Math.max(before, copy.uid));
  }
  return last;
}

/**
 * What was sent, and put among the drafts, carries no seal; what came back to its sender has the same Message-ID. Both
 * are known like what others wrote. Where there is a seal, and all that it is of was read, it decides.
 */
function isKnownOtherwise({ storedId, parsed }: Copy, row: OwnRow | undefined, judged: Verdict): boolean {
  const { headers, files } = parsed;
  const decided = headers.draftSeal !== null && files.every(({ contentDigest }) => contentDigest !== undefined);
  return storedId !== undefined && (storedId !== row?.id || (judged === 'edited' && !decided));
}

/** By where it lay, else as an unchanged copy of ours. */
function deletionOf(copy: OneOfOurs, deletions: readonly Deletion[]): Deletion | undefined {
  const lay = deletions.find(({ uids, state }) => state !== 'successful' && uids.includes(String(copy.uid)));
  return lay ?? (copy.ours ? deletions.find(({ id }) => id === ownId(copy)) : undefined);
}

/** One that was refused is not tried again. */
async function queueTidying(tx: Tx, folderId: string, surplus: readonly Surplus[]): Promise<void> {
  if (surplus.length === 0) return;
  const [folder] = await tx.query<{ uidValidity: string | null }>(
    `SELECT cursor->>'uidValidity' AS "uidValidity" FROM folder_syncs WHERE account_id = $1 AND folder_id = $2`,
    [tx.accountId, folderId],
  );
  // Not known while the folder is read for the first time; the next comparison finds them again.
  if (!folder || folder.uidValidity === null) return;
  const { uidValidity } = folder;
  const queued = await tx.query<{ place: { folderId: string; uid: string; uidValidity: string } }>(
    `SELECT details->'places'->0 AS place FROM actions
     WHERE account_id = $1 AND kind = 'copies.tidy' AND object_id = ANY($2) AND state <> 'successful'`,
    [tx.accountId, surplus.map(({ id }) => id)],
  );
  const isQueued = (uid: number) =>
    queued.some(
      ({ place }) => place.folderId === folderId && place.uidValidity === uidValidity && place.uid === String(uid),
    );
  const actions = surplus
    .filter(({ uid }) => !isQueued(uid))
    .map(({ id, uid, twin }) => {
      const places = [{ folderId, uid: String(uid), uidValidity }];
      return { kind: 'copies.tidy', objectId: id, details: { places, twin } } as const;
    });
  await queueActions(tx, actions);
}
