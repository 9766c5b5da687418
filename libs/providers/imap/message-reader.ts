import type { FetchMessageObject, FetchQueryObject } from 'imapflow';

import type { BodyStructure } from '#libs/mime/body-structure.js';
import { readHeaderBlock } from '#libs/mime/header-block.js';
import { textPartsBeyond } from '#libs/mime/text-parts.js';
import type { FetchLimits, RemoteMessage } from '#libs/providers/contracts/mail-driver.js';
import { ProviderError } from '#libs/providers/contracts/provider-error.js';

import { withoutRecent } from './folder-changes.js';
import type { ImapConnection } from './imap-connection.js';
import { toBodyStructure } from './to-body-structure.js';
import { uidSets } from './uid-set.js';

/** Part name of the whole header, asked for when it is longer than the beginning that was read. */
const HEADER = 'header';

interface Unfinished {
  readonly row: RemoteMessage;
  readonly structure: BodyStructure | null;
}

/** See `MailDriver.messages`; the folder is open. */
export async function* readMessages(
  connection: ImapConnection,
  path: string,
  uids: readonly number[],
  limits: FetchLimits,
): AsyncGenerator<RemoteMessage> {
  const big = new Map<number, RemoteMessage>();
  for await (const message of beginnings(connection, path, uids, limits.wholeSourceBytes)) {
    if (message.complete) yield message;
    else big.set(message.uid, message);
  }
  if (big.size > 0) yield* withTexts(connection, path, big, limits);
}

/**
 * The first bytes of each message. Servers answer in any order, repeat themselves, slip in rows nobody asked for and
 * leave fields out: rows are joined by uid, and what has no source at the end comes as an incomplete message. Of what
 * they say is without source nothing comes.
 */
async function* beginnings(
  connection: ImapConnection,
  path: string,
  uids: readonly number[],
  bytes: number,
): AsyncGenerator<RemoteMessage> {
  const query: FetchQueryObject = { uid: true, flags: true, internalDate: true, size: true, threadId: true };
  if (bytes > 0) query.source = { start: 0, maxLength: bytes };
  const wanted = new Set(uids);
  const partial = new Map<number, FetchMessageObject>();
  const unreadable = connection.unreadable;
  const prefix = prefixOf(connection);
  for (const set of uidSets(uids)) {
    const rows = connection.flow.fetch(set, { ...query }, { uid: true });
    for await (const row of connection.rows(`reading messages in ${path}`, rows)) {
      if (!wanted.has(row.uid)) continue;
      // NIL, which imapflow does not tell from its type: another program has deleted it while we asked.
      if ((row.source as unknown) === false) {
        wanted.delete(row.uid);
        partial.delete(row.uid);
        continue;
      }
      const known = partial.get(row.uid);
      const joined = known ? { ...known, ...definedOf(row) } : row;
      if (joined.source === undefined || joined.size === undefined) {
        partial.set(row.uid, joined);
        continue;
      }
      wanted.delete(row.uid);
      partial.delete(row.uid);
      yield toRemote(joined, bytes, prefix);
    }
  }
  for (const row of partial.values()) {
    wanted.delete(row.uid);
    yield toRemote(row, bytes, prefix);
  }
  if (wanted.size > 0 && connection.unreadable > unreadable) {
    throw new ProviderError('hostile', `The mail server's answer about a message in ${path} cannot be understood.`);
  }
}

function toRemote(row: FetchMessageObject, asked: number, prefix: string): RemoteMessage {
  const source = row.source ?? Buffer.alloc(0);
  const size = row.size ?? source.length;
  return {
    uid: row.uid,
    flags: row.flags ? withoutRecent(row.flags) : null,
    receivedAt: row.internalDate instanceof Date ? row.internalDate : null,
    size,
    emailId: row.emailId ? prefix + row.emailId : null,
    providerThreadId: row.threadId ? prefix + row.threadId : null,
    source,
    // Sizes lie: what came shorter than we asked is all there is, whatever RFC822.SIZE says.
    complete: asked > 0 && row.source !== undefined && (source.length < asked || source.length >= size),
    structure: null,
    textParts: new Map(),
  };
}

/** Structure and text parts of messages that were not read whole. What cannot be had is left out. */
async function* withTexts(
  connection: ImapConnection,
  path: string,
  big: ReadonlyMap<number, RemoteMessage>,
  limits: FetchLimits,
): AsyncGenerator<RemoteMessage> {
  const structures =
    limits.maxTextBytes > 0
      ? await structuresOf(connection, path, [...big.keys()])
      : new Map<number, BodyStructure | null>();
  const groups = new Map<string, Unfinished[]>();
  for (const row of big.values()) {
    const structure = structures.get(row.uid) ?? null;
    const parts = structure && limits.maxTextBytes > 0 ? textPartsBeyond(structure, row.source) : [];
    if (limits.maxTextBytes > 0 && !readHeaderBlock(row.source, 0, row.source.length).terminated) parts.unshift(HEADER);
    const group = groups.get(parts.join(' ')) ?? [];
    group.push({ row, structure });
    groups.set(parts.join(' '), group);
  }
  for (const [key, group] of groups) {
    const parts = key ? key.split(' ') : [];
    const texts = await textsOf(connection, path, group, parts, limits.maxTextBytes);
    for (const { row, structure } of group) {
      const found = texts.get(row.uid) ?? new Map<string, Buffer>();
      yield { ...row, source: found.get(HEADER) ?? row.source, structure, textParts: found };
    }
  }
}

async function structuresOf(
  connection: ImapConnection,
  path: string,
  uids: readonly number[],
): Promise<Map<number, BodyStructure | null>> {
  const structures = new Map<number, BodyStructure | null>();
  const query = { uid: true, bodyStructure: true };
  await eachRow(connection, `reading the structure of messages in ${path}`, uids, query, (row) => {
    if (row.bodyStructure) structures.set(row.uid, toBodyStructure(row.bodyStructure));
  });
  return structures;
}

async function textsOf(
  connection: ImapConnection,
  path: string,
  group: readonly Unfinished[],
  parts: readonly string[],
  maxBytes: number,
): Promise<Map<number, Map<string, Buffer>>> {
  const texts = new Map<number, Map<string, Buffer>>();
  if (parts.length === 0) return texts;
  const query = { uid: true, bodyParts: parts.map((key) => ({ key, start: 0, maxLength: maxBytes })) };
  const uids = group.map(({ row }) => row.uid);
  await eachRow(connection, `reading text of messages in ${path}`, uids, query, (row) => {
    const found = texts.get(row.uid) ?? new Map<string, Buffer>();
    for (const [part, content] of row.bodyParts ?? []) if (content) found.set(part, content);
    if (row.headers) found.set(HEADER, row.headers);
    texts.set(row.uid, found);
  });
  return texts;
}

/** A server that refuses this command keeps its secrets; one that breaks ends the reading. */
async function eachRow(
  connection: ImapConnection,
  doing: string,
  uids: readonly number[],
  query: FetchQueryObject,
  take: (row: FetchMessageObject) => void,
): Promise<void> {
  const wanted = new Set(uids);
  for (const set of uidSets(uids)) {
    try {
      const rows = connection.flow.fetch(set, { ...query }, { uid: true });
      for await (const row of connection.rows(doing, rows)) if (wanted.has(row.uid)) take(row);
    } catch (error) {
      if (!connection.usable) throw error;
    }
  }
}

const prefixOf = (connection: ImapConnection) => (connection.has('OBJECTID') ? '' : 'gmail:');

function definedOf(row: FetchMessageObject): Partial<FetchMessageObject> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined));
}
