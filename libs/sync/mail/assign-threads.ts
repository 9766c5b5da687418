import { hash64 } from '#libs/common/hash.js';
import { newId } from '#libs/common/ids.js';

/** A thread holds at most this many messages; then it is continued in a new one. */
export const MAX_THREAD_MESSAGES = 500;
/** Replies without references join by subject within this time. */
export const SUBJECT_WINDOW_MS = 30 * 86_400_000;

/** What decides about a message's thread. */
export interface ThreadableMessage {
  readonly id: string;
  readonly messageIdHeader: string | null;
  readonly inReplyTo: string | null;
  readonly references: readonly string[];
  /** THREADID or X-GM-THRID, with its source. */
  readonly providerThreadId: string | null;
  readonly baseSubject: string;
  readonly hasReplyPrefix: boolean;
  /** Canonical addresses. */
  readonly emails: readonly string[];
  readonly receivedAt: Date;
}

/** A stored message that a reply without references may belong to, or that is such a reply itself. */
export interface SubjectCandidate {
  readonly threadId: string;
  readonly subjectKey: string;
  readonly emails: readonly string[];
  readonly receivedAt: Date;
  /** It carries a reply prefix and no references. */
  readonly looseReply: boolean;
}

export interface ThreadingFacts {
  /** thread_refs of every reference in the batch: hash to thread id. */
  readonly refs: ReadonlyMap<string, string>;
  /** Messages in each thread that `refs` and `candidates` name. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly candidates: readonly SubjectCandidate[];
  /** Canonical address of the account: sharing it proves nothing. */
  readonly owner: string;
}

export interface ThreadAssignment {
  /** Message id to thread id. */
  readonly threadOf: ReadonlyMap<string, string>;
  /** Threads that turned out to be one: swallowed to survivor (the older id). */
  readonly merges: ReadonlyMap<string, string>;
  /** Hash to thread id: to be inserted or changed in thread_refs. */
  readonly refs: ReadonlyMap<string, string>;
  /** Threads begun here: id to subject key. */
  readonly begun: ReadonlyMap<string, string>;
}

/** A message with the keys it is looked up by. */
export interface KeyedMessage extends ThreadableMessage {
  /** Every name under which it can be referred to or refers to others, hashed; its own Message-ID first. */
  readonly names: readonly string[];
  /** threads.subject_key; '0' where the subject says nothing. */
  readonly subjectKey: string;
  /** Only its subject can tell which conversation it answers. */
  readonly looseReply: boolean;
  /**
   * The thread_refs key that says "there is a reply without references on this subject": an original that arrives
   * late finds by it, in the look-up it makes anyway, that candidates are worth reading.
   */
  readonly looseMarker: string;
}

export function keyed(message: ThreadableMessage): KeyedMessage {
  const names = new Set<string>();
  if (message.messageIdHeader) names.add(hash64(message.messageIdHeader));
  for (const reference of message.references) names.add(hash64(reference));
  if (message.inReplyTo) names.add(hash64(message.inReplyTo));
  if (message.providerThreadId) names.add(hash64(`thread ${message.providerThreadId}`));
  const subjectKey = message.baseSubject === '' ? '0' : hash64(message.baseSubject);
  return {
    ...message,
    names: [...names],
    subjectKey,
    looseReply: message.hasReplyPrefix && message.references.length === 0 && message.inReplyTo === null,
    looseMarker: hash64(`loose ${subjectKey}`),
  };
}

/**
 * Finds the thread of each message: by the reference graph (RFC 5256 REFERENCES), where a message that refers to two
 * threads proves them one; failing that, for replies without references, by base subject, a shared participant and
 * nearness in time. A base subject alone never joins. The outcome does not depend on the order of arrival, except
 * past the size cap.
 */
export function assignThreads(batch: readonly KeyedMessage[], facts: ThreadingFacts): ThreadAssignment {
  return new Assignment(facts).run(batch);
}

class Assignment {
  private readonly threadOf = new Map<string, string>();
  private readonly merges = new Map<string, string>();
  private readonly refs = new Map<string, string>();
  private readonly begun = new Map<string, string>();
  private readonly sizes: Map<string, number>;
  private readonly candidates = new Map<string, SubjectCandidate[]>();

  constructor(private readonly facts: ThreadingFacts) {
    this.sizes = new Map(facts.sizes);
    for (const candidate of facts.candidates) this.offer(candidate);
  }

  run(batch: readonly KeyedMessage[]): ThreadAssignment {
    for (const message of batch) this.place(message);
    const final = new Map([...this.threadOf].map(([message, thread]) => [message, this.survivor(thread)]));
    const refs = new Map([...this.refs].map(([ref, thread]) => [ref, this.survivor(thread)]));
    const stored = [...this.merges.keys()].filter((thread) => !this.begun.has(thread));
    const begun = new Map([...this.begun].filter(([thread]) => !this.merges.has(thread)));
    return {
      threadOf: final,
      refs: new Map([...refs].filter(([ref, thread]) => this.facts.refs.get(ref) !== thread)),
      merges: new Map(stored.map((thread) => [thread, this.survivor(thread)])),
      begun,
    };
  }

  private place(message: KeyedMessage): void {
    const hits = new Set<string>();
    for (const name of message.names) {
      const thread = this.refs.get(name) ?? this.facts.refs.get(name);
      if (thread !== undefined) hits.add(this.survivor(thread));
    }
    for (const thread of this.bySubject(message)) hits.add(this.survivor(thread));
    const thread = this.join(hits) ?? this.begin(message);
    this.threadOf.set(message.id, thread);
    this.sizes.set(thread, (this.sizes.get(thread) ?? 0) + 1);
    for (const name of message.names) this.refs.set(name, thread);
    if (message.looseReply) this.refs.set(message.looseMarker, thread);
    this.offer({
      threadId: thread,
      subjectKey: message.subjectKey,
      emails: message.emails,
      receivedAt: message.receivedAt,
      looseReply: message.looseReply,
    });
  }

  /** One thread out of several, or null when there is none or the newest of them is full. */
  private join(hits: ReadonlySet<string>): string | null {
    if (hits.size === 0) return null;
    const sorted = [...hits].toSorted();
    const total = sorted.reduce((sum, thread) => sum + this.size(thread), 0);
    if (total < MAX_THREAD_MESSAGES) {
      const [oldest, ...others] = sorted as [string, ...string[]];
      for (const other of others) {
        this.merges.set(other, oldest);
        this.sizes.set(oldest, this.size(oldest) + this.size(other));
      }
      return oldest;
    }
    const newest = sorted.at(-1)!;
    return this.size(newest) < MAX_THREAD_MESSAGES ? newest : null;
  }

  private begin(message: KeyedMessage): string {
    const thread = newId();
    this.begun.set(thread, message.subjectKey);
    return thread;
  }

  private bySubject(message: KeyedMessage): string[] {
    const key = message.subjectKey;
    if (key === '0') return [];
    const near = (this.candidates.get(key) ?? []).filter((candidate) => {
      const later = candidate.receivedAt > message.receivedAt ? candidate.looseReply : message.looseReply;
      const apart = Math.abs(candidate.receivedAt.getTime() - message.receivedAt.getTime());
      return later && apart <= SUBJECT_WINDOW_MS && this.share(candidate.emails, message.emails);
    });
    return near.map((candidate) => candidate.threadId);
  }

  private share(some: readonly string[], others: readonly string[]): boolean {
    return some.some((email) => email !== this.facts.owner && others.includes(email));
  }

  private offer(candidate: SubjectCandidate): void {
    const list = this.candidates.get(candidate.subjectKey);
    if (list) list.push(candidate);
    else this.candidates.set(candidate.subjectKey, [candidate]);
  }

  private survivor(thread: string): string {
    let current = thread;
    for (let next = this.merges.get(current); next !== undefined; next = this.merges.get(current)) current = next;
    return current;
  }

  private size(thread: string): number {
    return this.sizes.get(thread) ?? 0;
  }
}
