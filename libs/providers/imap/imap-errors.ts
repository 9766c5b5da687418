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

const throttleText =
  /throttl|too many|rate.?limit|connection limit|exceeded|try (again )?later|simultaneous|temporar|in use|bandwidth/i;

/**
 * Wordings by which servers without response codes refuse a password: Exchange and Courier (`LOGIN failed`), Cyrus
 * (`authentication failure`), NetEase and Tencent (`password error`), Google (`Application-specific password required`).
 */
const credentialText =
  /^(log ?in|authenticate|authentication) (failed|failure)|invalid (credentials|login|user|password)|(password|login) (error|fail|incorrect)|(bad|wrong|incorrect) (user|password|login)|authentication fail|application.specific password|web login required/i;

const missingFolderText = /does(n't| not) exist|no such (mailbox|folder)|mailbox not found|folder not found/i;

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

function kindOf(raw: RawError): ProviderErrorKind {
  const code = raw.code ?? '';
  if (code === 'ETHROTTLE') return 'throttled';
  if (brokenLimits.has(code) || code.startsWith('ParserError')) return 'hostile';
  if (code === 'NotFound' || raw.mailboxMissing) return 'not-found';
  const known = byResponseCode.get((raw.serverResponseCode ?? '').toUpperCase());
  if (known) return known;
  const text = textOf(raw) ?? '';
  if (throttleText.test(text)) return 'throttled';
  if (raw.authenticationFailed) return credentialText.test(text) ? 'credentials' : 'unavailable';
  if (raw.responseStatus && missingFolderText.test(text)) return 'not-found';
  if (raw.responseStatus === 'BAD') return 'rejected';
  return 'unavailable';
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
  if (raw.responseStatus) return `The mail server failed while ${doing}.`;
  return `The connection to the mail server failed while ${doing}${code ? ` (${code})` : ''}.`;
}
