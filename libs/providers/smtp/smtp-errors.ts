import { ProviderError, type ProviderErrorKind } from '#libs/providers/contracts/provider-error.js';

/** What nodemailer and Node's socket layers put on their errors, as far as we read it. */
interface RawError {
  readonly message?: string;
  readonly code?: string;
  readonly responseCode?: number;
  readonly response?: string;
  readonly cause?: unknown;
}

/**
 * Refusals of a login (RFC 4954 section 6): 535 and 534 are about the password; 538 wants TLS first; 454 and 421 mean
 * "later".
 */
const PASSWORD_REFUSED = new Set([534, 535]);
const LATER = new Set([421, 450, 451, 454]);

/** Translates whatever nodemailer threw while connecting and signing in. */
export function toSmtpProviderError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error;
  const raw: RawError = typeof error === 'object' && error !== null ? error : {};
  const kind = kindOf(raw);
  return new ProviderError(kind, sentence(kind, raw), {
    cause: error,
    ...(raw.response ? { serverText: raw.response.slice(0, 500) } : {}),
  });
}

function kindOf(raw: RawError): ProviderErrorKind {
  const status = raw.responseCode ?? 0;
  if (raw.code === 'ETLS') return 'unavailable';
  if (raw.code === 'EAUTH' && PASSWORD_REFUSED.has(status)) return 'credentials';
  if (LATER.has(status)) return 'throttled';
  if (status >= 500) return 'rejected';
  return 'unavailable';
}

function sentence(kind: ProviderErrorKind, raw: RawError): string {
  const code = systemCode(raw);
  if (kind === 'credentials') return 'The SMTP server refused the user name or password.';
  if (kind === 'throttled') return 'The SMTP server asks us to come back later.';
  if (raw.responseCode === 538) return 'The SMTP server accepts passwords over TLS only.';
  if (kind === 'rejected') return 'The SMTP server refused to let us sign in.';
  if (isUntrusted(code) || isUntrusted(raw.message ?? '')) {
    return `The SMTP server's certificate is not trusted${code ? ` (${code})` : ''}.`;
  }
  if (/wrong version number/i.test(raw.message ?? '')) return 'The SMTP server does not speak TLS on this port.';
  if (/STARTTLS/i.test(raw.message ?? '')) return 'The SMTP server does not offer STARTTLS.';
  return `The connection to the SMTP server failed${code ? ` (${code})` : ''}.`;
}

/** nodemailer puts its own code in front of the system's. */
function systemCode(raw: RawError): string {
  const { cause } = raw;
  const inner = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  return typeof inner === 'string' ? inner : (raw.code ?? '');
}

/** Whether an error of a TLS layer is about the server's certificate. */
export function isUntrusted(text: string): boolean {
  return /CERT|SELF_SIGNED|self[- ]signed|unable to (verify|get)|altname/i.test(text);
}
