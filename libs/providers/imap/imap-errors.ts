import { ProviderError, type ProviderErrorKind } from '#libs/providers/contracts/provider-error.js';

/** What imapflow and Node's socket layers put on their errors, as far as we read it. */
interface RawError {
  readonly message?: string;
  readonly code?: string;
  readonly responseStatus?: string;
  readonly responseText?: string;
  readonly serverResponseCode?: string;
  readonly authenticationFailed?: boolean;
  readonly tlsFailed?: boolean;
  readonly mailboxMissing?: boolean;
  readonly throttleReset?: number;
  readonly reason?: string;
}

/** Response codes of RFC 5530 and its kin that say what happened, whatever the command was. */
const byResponseCode: ReadonlyMap<string, ProviderErrorKind> = new Map([
  ['AUTHENTICATIONFAILED', 'credentials'],
  ['AUTHORIZATIONFAILED', 'credentials'],
  ['EXPIRED', 'credentials'],
  ['PRIVACYREQUIRED', 'rejected'],
  ['UNAVAILABLE', 'unavailable'],
  ['SERVERBUG', 'unavailable'],
  ['CORRUPTION', 'unavailable'],
  ['CONTACTADMIN', 'unavailable'],
  ['INUSE', 'throttled'],
  ['LIMIT', 'throttled'],
  ['THROTTLED', 'throttled'],
  ['OVERQUOTA', 'rejected'],
  ['ALREADYEXISTS', 'rejected'],
  ['CANNOT', 'rejected'],
  ['CLIENTBUG', 'rejected'],
  ['NOPERM', 'forbidden'],
  ['NONEXISTENT', 'not-found'],
  ['TRYCREATE', 'not-found'],
]);

/** A size or grammar limit was broken; imapflow has closed the connection or will not make sense of the answer. */
const brokenLimits: ReadonlySet<string> = new Set([
  'LineTooLarge',
  'LiteralTooLarge',
  'ResponseTooLarge',
  'TooManyTokens',
  'TooManyResponses',
  'MAX_IMAP_NESTING_REACHED',
  'ResponseProcessingFailed',
  'InvalidResponse',
  'UnexpectedTag',
  'DownloadOverflow',
]);

/**
 * What servers say without a response code, or with one that means something else, and what it means. The first that
 * matches counts: a temporary refusal often names the password too.
 */
const byWording: readonly (readonly [RegExp, ProviderErrorKind])[] = [
  // Office 365: `Request is throttled. Suggested Backoff Time: 299999 milliseconds`.
  [/throttl|rate.?limit|frequency limit/i, 'throttled'],
  // Gmail: `Too many simultaneous connections`; Dovecot: `Maximum number of connections from user+IP exceeded`.
  [/too many|simultaneous|connection limit|number of connections/i, 'throttled'],
  // Gmail: `Account exceeded command or bandwidth limits`, also with the code OVERQUOTA.
  [/bandwidth|limit.{0,20} exceeded|exceeded .{0,30}limit/i, 'throttled'],
  // Courier, Zimbra, Yahoo: `Temporary authentication failure`, `Server error. Please try again later`.
  [/temporar|try (again )?later|in use|(server|system) (is )?busy/i, 'throttled'],
  [/does(n't| not) exist|no such (mailbox|folder)|mailbox not found|folder not found/i, 'not-found'],
];

/** Codes whose usual meaning a wording above may overrule. */
const VAGUE_CODES: ReadonlySet<string> = new Set(['', 'ALERT', 'OVERQUOTA']);

/** What servers say to a sign-in that only its owner can put right. */
const credentialWording: readonly RegExp[] = [
  // Exchange, Courier, Zimbra: `LOGIN failed.`; Cyrus: `Login failed: authentication failure`.
  /^(log ?in|authenticate|authentication) (failed|failure)|authentication fail/i,
  // hMailServer: `Invalid user name or password.`; Zoho: `Invalid credentials(Failure)`.
  /invalid (credentials|login|user|password)|(bad|wrong|incorrect) (user|password|login|credentials)/i,
  // NetEase: `LOGIN Login error or password error`; Tencent: `Login fail. … password is incorrect …`.
  /(password|login) (error|fail|is incorrect|incorrect)/i,
  // Google: `Application-specific password required`, `Web login required`, `Please log in via your web browser`.
  /application.specific password|app password|web login required|via your web browser/i,
  /(account|user) (is )?(disabled|locked|suspended|unknown)|unknown user/i,
];

/** Translates whatever the client library threw. @param doing what was tried, for people: `reading folder Sent` */
export function toProviderError(error: unknown, doing: string): ProviderError {
  if (error instanceof ProviderError) return error;
  const raw: RawError = typeof error === 'object' && error !== null ? error : {};
  const kind = kindOf(raw);
  const serverText = textOf(raw);
  return new ProviderError(kind, sentence(kind, raw, doing), {
    cause: error,
    ...(serverText ? { serverText } : {}),
    ...(raw.code === 'ETHROTTLE' && raw.throttleReset ? { retryAfterMs: raw.throttleReset } : {}),
  });
}

/**
 * What went wrong when a folder was opened or changed: where the server says so itself, or falls silent, the fault is the
 * folder's (its index is broken, somebody has locked it), and all is well with the others.
 */
export function ofFolder(error: unknown): unknown {
  if (!(error instanceof ProviderError)) return error;
  const { kind, message, options } = error;
  const { responseStatus, serverResponseCode } = (options.cause ?? {}) as RawError;
  const isLocked = serverResponseCode?.toUpperCase() === 'INUSE';
  const isBroken = kind === 'unavailable' && (responseStatus === 'NO' || options.stalled === true);
  return isLocked || isBroken ? new ProviderError('folder-unavailable', message, options) : error;
}

function kindOf(raw: RawError): ProviderErrorKind {
  const code = raw.code ?? '';
  if (code === 'ETHROTTLE') return 'throttled';
  if (brokenLimits.has(code) || code.startsWith('ParserError')) return 'hostile';
  if (code === 'NotFound' || raw.mailboxMissing) return 'not-found';
  const responseCode = (raw.serverResponseCode ?? '').toUpperCase();
  const text = textOf(raw) ?? '';
  const worded = VAGUE_CODES.has(responseCode) ? wordedKind(raw, text) : null;
  const known = worded ?? byResponseCode.get(responseCode);
  if (known) return known;
  if (raw.authenticationFailed) return 'unavailable';
  if (raw.responseStatus === 'BAD') return 'rejected';
  return 'unavailable';
}

/** Null when the wording says nothing. */
function wordedKind(raw: RawError, text: string): ProviderErrorKind | null {
  const [, kind] = byWording.find(([wording]) => wording.test(text)) ?? [];
  // A folder that does not exist is no answer to a sign-in, nor is it one without an answer of the server.
  if (kind && !(kind === 'not-found' && (raw.authenticationFailed || !raw.responseStatus))) return kind;
  return raw.authenticationFailed && credentialWording.some((wording) => wording.test(text)) ? 'credentials' : null;
}

function textOf(raw: RawError): string | undefined {
  return (raw.responseText ?? raw.reason)?.slice(0, 500);
}

function sentence(kind: ProviderErrorKind, raw: RawError, doing: string): string {
  switch (kind) {
    case 'credentials':
      return 'The mail server refused the user name or password.';
    case 'throttled':
      return `The mail server asks us to slow down (while ${doing}).`;
    case 'hostile':
      return `The mail server sent something beyond all limits while ${doing} (${raw.code ?? 'unknown'}).`;
    case 'not-found':
      return `Not found on the mail server while ${doing}.`;
    case 'forbidden':
      return `The mail server does not permit ${doing}.`;
    case 'rejected':
      return `The mail server refused ${doing}.`;
    case 'cursor-expired':
    case 'folder-unavailable':
    case 'unavailable':
      return unavailable(raw, doing);
    default:
      return kind satisfies never;
  }
}

function unavailable(raw: RawError, doing: string): string {
  const code = raw.code ?? '';
  if (raw.tlsFailed && /STARTTLS/.test(raw.message ?? '')) return 'The mail server does not offer STARTTLS.';
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(code)) {
    return `The mail server's certificate is not trusted (${code}).`;
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return 'The mail server does not speak TLS on this port.';
  if (raw.responseStatus) return `The mail server failed while ${doing}.`;
  return `The connection to the mail server failed while ${doing}${code ? ` (${code})` : ''}.`;
}
