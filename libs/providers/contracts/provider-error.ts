/** Why a provider said no. Drivers translate every failure into one of these; nobody else reads raw errors. */
export type ProviderErrorKind =
  | 'credentials' // the grant is dead: ask the user to sign in again
  | 'forbidden' // the grant lives but lacks a scope or a right
  | 'not-found' // the remote object (folder, message, part) is gone
  | 'cursor-expired' // the server forgot our position: start that collection over
  | 'throttled' // slow down; retryAfterMs may say how much
  | 'rejected' // understood and refused: retrying cannot help
  | 'hostile' // the server broke a size or grammar limit; retrying the same read will too
  | 'folder-unavailable' // the server lives but cannot open this folder now: retrying may help
  | 'unavailable'; // network, timeout, 5xx: retrying may help

/** Trouble with one folder, in contrast to trouble with the account. */
export const folderKinds: ReadonlySet<ProviderErrorKind> = new Set([
  'not-found',
  'rejected',
  'forbidden',
  'hostile',
  'cursor-expired',
  'folder-unavailable',
]);

/** After such an error the connection is closed, or cannot be trusted. */
export const endsConnection = ({ kind, options }: ProviderError): boolean =>
  kind === 'hostile' || options.stalled === true;

export class ProviderError extends Error {
  /** @param message one plain sentence for people; never a credential, never message content. */
  constructor(
    readonly kind: ProviderErrorKind,
    message: string,
    readonly options: {
      readonly retryAfterMs?: number;
      /** What the server said, word for word, at most 500 characters. */
      readonly serverText?: string;
      /** It fell silent in the middle of an answer; the connection was cut. */
      readonly stalled?: boolean;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'ProviderError';
  }
}
