import type { FlagChange, MailWriter, NewPlace, NumberedFolder } from '#libs/providers/contracts/mail-writer.js';
import { ProviderError } from '#libs/providers/contracts/provider-error.js';

import { withoutRecent } from './folder-changes.js';
import type { ImapConnection } from './imap-connection.js';
import { uidSet } from './uid-set.js';

/** Changes mail and folders over an ImapConnection. */
export class ImapWriter implements MailWriter {
  constructor(protected readonly connection: ImapConnection) {}

  async store(
    folder: NumberedFolder,
    uids: readonly number[],
    { add, remove }: FlagChange,
  ): Promise<Map<number, string[]>> {
    const { flow } = this.connection;
    const { path } = folder;
    await this.select(folder);
    const [set, options] = [uidSet(uids), { uid: true, silent: true }];
    const doing = `changing flags in ${path}`;
    if (add.length > 0) await this.must(doing, () => flow.messageFlagsAdd(set, [...add], options));
    if (remove.length > 0) await this.must(doing, () => flow.messageFlagsRemove(set, [...remove], options));
    const found = new Map<number, string[]>();
    // To a uid that is gone the server says OK: whom it reached is only known by asking.
    const wanted = new Set(uids);
    for await (const row of this.connection.rows(doing, flow.fetch(set, { uid: true, flags: true }, { uid: true }))) {
      if (row.flags && wanted.has(row.uid)) found.set(row.uid, withoutRecent(row.flags));
    }
    return found;
  }

  async move(folder: NumberedFolder, uids: readonly number[], target: string): Promise<Map<number, NewPlace>> {
    const { flow } = this.connection;
    const { path } = folder;
    await this.select(folder);
    const [set, doing] = [uidSet(uids), `moving messages from ${path} to ${target}`];
    const inOneGo = this.connection.has('MOVE');
    // Marked by a removal that was broken off, the copies would go with the next EXPUNGE of their folder.
    if (!inOneGo)
      await this.must(doing, () => flow.messageFlagsRemove(set, ['\\Deleted'], { uid: true, silent: true }));
    const moved = await this.must(doing, () =>
      inOneGo ? flow.messageMove(set, target, { uid: true }) : flow.messageCopy(set, target, { uid: true }),
    );
    if (!inOneGo) await this.remove(folder, uids);
    const { uidValidity, uidMap } = moved;
    if (uidValidity === undefined || !uidMap) return new Map();
    return new Map([...uidMap].map(([from, to]) => [from, { uidValidity: String(uidValidity), uid: to }]));
  }

  async append(path: string, source: Buffer, flags: readonly string[], receivedAt: Date): Promise<NewPlace | null> {
    const done = await this.must(`saving a message in ${path}`, () =>
      this.connection.flow.append(path, source, [...flags], receivedAt),
    );
    return done.uid && done.uidValidity ? { uid: done.uid, uidValidity: String(done.uidValidity) } : null;
  }

  async find(path: string, messageId: string): Promise<NewPlace[]> {
    await this.connection.select(path);
    const doing = `searching ${path}`;
    const query = { header: { 'message-id': messageId } };
    const uids = await this.must(doing, () => this.connection.flow.search(query, { uid: true }));
    if (uids.length === 0) return [];
    const uidValidity = String(this.connection.selected?.uidValidity ?? '');
    const places: NewPlace[] = [];
    // Some servers find too much: by the words in it, or everything.
    const rows = this.connection.flow.fetch(uidSet(uids), { uid: true, envelope: true }, { uid: true });
    for await (const { uid, envelope } of this.connection.rows(doing, rows)) {
      if (envelope?.messageId?.includes(messageId)) places.push({ uid, uidValidity });
    }
    return places.toSorted((one, other) => other.uid - one.uid);
  }

  /**
   * Without UID EXPUNGE (RFC 4315) only a plain one is left, which takes what others have marked as deleted with it. It
   * is not used then: the messages stay behind, marked, for whoever expunges next.
   */
  async remove(folder: NumberedFolder, uids: readonly number[]): Promise<void> {
    const { flow } = this.connection;
    const { path } = folder;
    await this.select(folder);
    const [set, doing] = [uidSet(uids), `removing messages from ${path}`];
    if (!this.connection.has('UIDPLUS')) {
      await this.must(doing, () => flow.messageFlagsAdd(set, ['\\Deleted'], { uid: true, silent: true }));
      const marked = await this.must(doing, () => flow.search({ deleted: true }, { uid: true }));
      const ours = new Set(uids);
      if (!marked.every((uid) => ours.has(uid))) return;
    }
    await this.must(doing, () => flow.messageDelete(set, { uid: true }));
  }

  async createFolder(path: string): Promise<void> {
    await this.connection.guardInFolder(`creating folder ${path}`, () => this.connection.flow.mailboxCreate(path));
  }

  async renameFolder(path: string, newPath: string): Promise<void> {
    await this.connection.guardInFolder(`renaming folder ${path}`, () =>
      this.connection.flow.mailboxRename(path, newPath),
    );
  }

  async deleteFolder(path: string): Promise<void> {
    try {
      const { messages } = await this.connection.examine(path);
      if (messages > 0) throw new ProviderError('rejected', `Folder ${path} is not empty.`);
      await this.connection.guardInFolder(`deleting folder ${path}`, () => this.connection.flow.mailboxDelete(path));
    } catch (error) {
      if (!(error instanceof ProviderError) || error.kind !== 'not-found') throw error;
    }
  }

  /** @throws ProviderError `cursor-expired` when its uids mean something else now */
  private async select({ path, uidValidity }: NumberedFolder): Promise<void> {
    await this.connection.select(path);
    if (String(this.connection.selected?.uidValidity) === uidValidity) return;
    throw new ProviderError('cursor-expired', `Folder ${path} was renumbered; it has to be read anew first.`);
  }

  /** imapflow answers `false` where a server refused, or where the connection broke. */
  private async must<T>(doing: string, command: () => Promise<T | false | undefined>): Promise<T> {
    const answer = await this.connection.guardInFolder(doing, command);
    if (answer !== false && answer !== undefined) return answer;
    if (!this.connection.usable) {
      throw new ProviderError('unavailable', `The connection to the mail server broke while ${doing}.`);
    }
    throw new ProviderError('rejected', `The mail server refused ${doing}.`);
  }
}
