import { idIn } from '#libs/domain/messages/own-message-id.js';

/** A letter written during a scenario, by the name its Message-ID is made of. */
export interface Written {
  readonly name: string;
  readonly topic: string;
  /** Names from the first letter of the thread to the one it answers. */
  readonly ancestors: readonly string[];
}

/** A request to send, known by its Idempotency-Key. */
export interface Sending {
  readonly key: string;
  readonly body: { readonly draft_id?: string; readonly version?: number };
  /** What a message that was no draft can be known by. */
  readonly mark: string | null;
  /** Of the last answer; 0 when none came. */
  status: number;
  /** Of the message that was sent, once the API has told. */
  messageId: string | null;
}

/**
 * What the users of one mailbox have done to it that can be told from it afterwards. Everything is noted before it is
 * done: what was refused may have happened. Messages by Message-ID without angle brackets, or by their API's id.
 */
export class Ledger {
  /** Somebody writes through the API. Otherwise mail programs alone can lose or double what there is. */
  hasApplication = true;
  readonly letters: Written[] = [];
  readonly expunged = new Set<string>();
  /** A folder went, with whatever lay in it. */
  foldersLost = false;
  /** Names of folders that somebody renamed, or wished to delete through the API, which are deleted when they are empty. */
  readonly doomedFolders = new Set<string>();
  /** By id: moved through the API. */
  readonly moved = new Set<string>();
  /** By id: drafts that were created or changed through the API, and that nobody has asked to delete through it. */
  readonly drafts = new Set<string>();
  /** Changed, deleted or sent as drafts through the API. */
  readonly rewritten = new Set<string>();
  readonly sendings: Sending[] = [];
  private readonly arrivals = new Map<string, Set<string>>();
  /** By what was moved, copied or deleted by mail programs: their names. */
  private readonly handlers = new Map<string, Set<string>>();

  /**
   * Whether another program took away what was written here, perhaps before its next version was saved or it was sent,
   * or changed here what another program wrote. Copies of one may then be another message.
   */
  isUncertain(name: string): boolean {
    return idIn(name) === null ? this.rewritten.has(name) : this.isHandled(name);
  }

  /** A mail program moves, copies or deletes messages. */
  handle(names: readonly string[], program: string): void {
    for (const name of names) this.handlers.set(name, (this.handlers.get(name) ?? new Set()).add(program));
  }

  isHandled(name: string): boolean {
    return this.handlers.has(name);
  }

  /** Two programs that move a message at a time, where it is, may lose it. */
  isHandledBySeveral(name: string): boolean {
    return (this.handlers.get(name)?.size ?? 0) > 1;
  }

  /** Whether mail programs touched what was written here, any version of it. */
  isOwnHandled(id: string): boolean {
    return [...this.handlers.keys()].some((name) => name.startsWith(`${id}-`));
  }

  /** Mail programs put messages into a folder. */
  put(names: readonly string[], folder: string): void {
    for (const name of names) this.arrivals.set(name, (this.arrivals.get(name) ?? new Set()).add(folder));
  }

  /**
   * No server deletes a folder on condition that it is empty: what comes in the moment between goes with it. What is put
   * into a folder that is being renamed may go as well.
   */
  wasPutIntoDoomed(name: string): boolean {
    const doomed = [...this.doomedFolders];
    return [...(this.arrivals.get(name) ?? [])].some((folder) =>
      doomed.some((gone) => folder === gone || folder.startsWith(`${gone}/`)),
    );
  }
}
