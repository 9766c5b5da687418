import type { MessageBytes } from '#libs/mime/message-bytes.js';

export interface Envelope {
  readonly from: string;
  readonly to: readonly string[];
}

/** Reply code and text of a server. */
export type Refusal = readonly [code: number, text: string];

/** Recipients that the server refused while it took the message for others. */
export type Failures = Readonly<Record<string, Refusal>>;

/** Where sending ended; `secure` is TLS, where it is wanted. */
export type SendStage = 'connect' | 'secure' | 'sign-in' | 'envelope' | 'data';

/** Why a message was not sent; or, when `unknown`, why nobody can say whether it was. */
export class SendFailure extends Error {
  constructor(
    readonly stage: SendStage,
    /** What the server said; null when it said nothing: the connection broke or time ran out. */
    readonly refusal: Refusal | null,
    readonly options: {
      /** Of the recipients, when all of them were refused. */
      readonly failures?: Failures;
      /** The most bytes a message may have for this server; this one has more (RFC 1870). */
      readonly mostBytes?: number;
      /** The whole message was on its way, and no reply came. */
      readonly unknown?: boolean;
      readonly cause?: unknown;
    } = {},
  ) {
    super(refusal ? `${refusal[0]} ${refusal[1]}` : `The connection failed (${stage}).`, { cause: options.cause });
    this.name = 'SendFailure';
  }
}

/** Hands the messages of one account over to its provider. */
export interface MailSender {
  /**
   * @param committing awaited when all but the end of the message is out: nothing before that can make the server
   *   take it, anything after that may
   * @throws SendFailure
   */
  send(envelope: Envelope, source: MessageBytes, committing: () => Promise<void>): Promise<Failures>;

  /** Gives up connections that are kept for the next message. */
  close(): void;
}
