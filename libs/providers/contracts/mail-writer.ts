/** Where a message lies now. */
export interface NewPlace {
  readonly uidValidity: string;
  readonly uid: number;
}

export interface FlagChange {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** A folder and the UIDVALIDITY under which its uids were read: under another they name other messages. */
export interface NumberedFolder {
  readonly path: string;
  readonly uidValidity: string;
}

/**
 * The writing half of a mail session. Whatever is done twice has the effect of once. A folder that was
 * renumbered is not touched: `cursor-expired`.
 */
export interface MailWriter {
  /** @returns the flags now of those of these messages that are there; `\Recent` left out */
  store(folder: NumberedFolder, uids: readonly number[], change: FlagChange): Promise<Map<number, string[]>>;

  /**
   * Moves messages, and expunges nothing else. Those that are not there are left out.
   * @returns where each went, as far as the server tells (COPYUID, RFC 4315)
   */
  move(folder: NumberedFolder, uids: readonly number[], target: string): Promise<Map<number, NewPlace>>;

  /** @returns where it lies; null when the server does not tell (no UIDPLUS) */
  append(path: string, source: Buffer, flags: readonly string[], receivedAt: Date): Promise<NewPlace | null>;

  /** Messages whose Message-ID contains this text, newest first. */
  find(path: string, messageId: string): Promise<NewPlace[]>;

  /**
   * Expunges these messages and nothing else; those that are gone are fine. Where a server cannot expunge some alone,
   * they stay behind, marked, as long as others are marked too.
   */
  remove(folder: NumberedFolder, uids: readonly number[]): Promise<void>;

  /** One that exists already is fine. */
  createFolder(path: string): Promise<void>;

  /** With all folders below it. @throws ProviderError `not-found` when there is no such folder */
  renameFolder(path: string, newPath: string): Promise<void>;

  /** @throws ProviderError `rejected` when it holds mail; one that is gone already is fine */
  deleteFolder(path: string): Promise<void>;
}
