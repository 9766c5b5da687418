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
  readonly letters: Written[] = [];
  /** Moved, copied or deleted by a mail program. */
  readonly handled = new Set<string>();
  readonly expunged = new Set<string>();
  /** A folder went, with whatever lay in it. */
  foldersLost = false;
  /** Names of folders that somebody wished to delete through the API, which are deleted when they are empty. */
  readonly doomedFolders = new Set<string>();
  /** By id: moved through the API. */
  readonly moved = new Set<string>();
  /** By id: drafts that were created or changed through the API, and that nobody has asked to delete through it. */
  readonly drafts = new Set<string>();
  /** Changed, deleted or sent as drafts through the API. */
  readonly rewritten = new Set<string>();
  readonly sendings: Sending[] = [];
  private readonly arrivals = new Map<string, Set<string>>();

  /**
   * Whether another program took away what was written here, perhaps before its next version was saved or it was sent,
   * or changed here what another program wrote. Copies of one may then be another message.
   */
  isUncertain(name: string): boolean {
    return idIn(name) === null ? this.rewritten.has(name) : this.handled.has(name);
  }

  /** Mail programs put messages into a folder. */
  put(names: readonly string[], folder: string): void {
    for (const name of names) this.arrivals.set(name, (this.arrivals.get(name) ?? new Set()).add(folder));
  }

  /** No server deletes a folder on condition that it is empty: what comes in the moment between goes with it. */
  wasPutIntoDoomed(name: string): boolean {
    return [...(this.arrivals.get(name) ?? [])].some((folder) => this.doomedFolders.has(folder));
  }
}
