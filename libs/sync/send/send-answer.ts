import { DomainError } from '#libs/common/errors.js';
import type { Refusal } from '#libs/providers/contracts/mail-sender.js';
import { SendFailure } from '#libs/providers/contracts/mail-sender.js';

type Rule = readonly [code: number, enhanced: readonly string[], status: number, message: string];

const BUSY = 'The server is busy. Please try again later.';
const REJECTED_FOR_NOW = 'Mail server temporarily rejected message.';
const QUOTA = 'Daily sending quota exceeded.';
const SPAM = 'The message was classified as spam and was not accepted.';
const RECIPIENT = 'Recipient address rejected.';

/** What replies mean, by code and enhanced code (RFC 3463). The first that fits counts. */
const RULES: readonly Rule[] = [
  [421, ['4.4.5'], 503, BUSY],
  [421, ['4.7.0'], 429, 'The sending address is blocked for now, for unsolicited mail.'],
  [421, ['4.7.2'], 429, BUSY],
  [
    450,
    ['4.2.1', '4.3.0', '4.7.1'],
    429,
    'The recipient is receiving mail too fast, or the server refuses it for now.',
  ],
  [451, ['4.3.5', '4.7.1'], 429, REJECTED_FOR_NOW],
  [452, ['4.5.3'], 402, 'Your message has too many recipients.'],
  [454, ['4.7.0'], 429, 'The server cannot check the sign-in for now.'],
  [522, ['5.7.1'], 402, RECIPIENT],
  [530, ['5.7.0'], 402, RECIPIENT],
  [535, ['5.7.1'], 429, 'Please log in to your account with a web browser, and try again.'],
  [550, ['5.1.1', '5.2.1'], 402, 'The recipient does not exist, or does not accept mail.'],
  [550, ['5.3.2'], 429, REJECTED_FOR_NOW],
  [550, ['5.4.5', '5.7.1'], 429, QUOTA],
  [550, ['5.4.6'], 429, 'The server has seen this message too often.'],
  [550, ['5.7.0'], 402, 'Mail relay denied.'],
  [552, ['5.2.3', '5.3.4'], 402, 'The message is too large.'],
  [552, ['5.7.0', '5.7.1'], 402, 'The message was rejected for its content, for security reasons.'],
  [553, ['5.1.2'], 402, 'The domain of a recipient was not found.'],
  [553, ['5.7.1'], 402, 'The sender address was rejected.'],
  [554, ['5.6.0'], 402, 'The message is malformed and was not accepted.'],
  [554, ['5.7.1'], 402, SPAM],
];

const STARTTLS = /must issue a STARTTLS|STARTTLS (?:is )?required|STARTTLS (?:command )?first/i;
const NO_STARTTLS = 'Required SMTP STARTTLS not supported.';

/** Texts that say more than their codes. */
const TEXTS: readonly (readonly [code: number, text: RegExp, status: number, message: string])[] = [
  [530, STARTTLS, 403, 'The server takes mail over TLS only; the account is connected without.'],
  [550, /classified as spam/i, 402, SPAM],
  [550, /exceeded recipient rate limit|24-hour sending limit/i, 429, QUOTA],
];

/** What the caller of a send is told. Details: `server_error`, and `failures` by recipient when all were refused. */
export function sendAnswer(failure: SendFailure): DomainError {
  const { refusal, stage, options } = failure;
  if (stage === 'secure') return unsecured(failure);
  const failures = options.failures ?? {};
  if (options.unknown) {
    return answer(504, 'The server took the message and did not say what it did with it. It may have been sent.', null);
  }
  if (options.mostBytes !== undefined) {
    return answer(402, `The message is too large: the server takes at most ${options.mostBytes} bytes.`, null);
  }
  if (refusal === null) return answer(503, lost(stage), null);
  if (Object.keys(failures).length > 0) {
    return answer(402, 'Sending to all recipients failed', refusal, { failures });
  }
  if (stage === 'sign-in') return signIn(refusal);
  const [status, message] = meaning(refusal) ?? [503, 'Sending failed'];
  return answer(status, message, refusal);
}

/** TLS is wanted, and there is none: the server has no STARTTLS, or none now, or nobody can trust it. */
function unsecured({ refusal, options }: SendFailure): DomainError {
  if (refusal !== null && refusal[0] >= 500) return answer(403, NO_STARTTLS, refusal);
  if (refusal !== null) return answer(503, 'The server cannot do TLS for now.', refusal);
  const reason = String(options.cause);
  const untrusted = /certificate|self[- ]signed|altname/i.test(reason);
  return answer(503, untrusted ? 'SMTP server SSL certificate verify failed' : 'TLS with the server failed.', null);
}

function lost(stage: SendFailure['stage']): string {
  return stage === 'connect' ? 'The mail server cannot be reached.' : 'The server unexpectedly closed the connection';
}

function signIn(refusal: Refusal): DomainError {
  // To who sends, 530 means a recipient.
  const known = refusal[0] === 530 && !STARTTLS.test(refusal[1]) ? null : meaning(refusal);
  if (known) return answer(known[0], known[1], refusal);
  if (refusal[0] < 500) return answer(429, 'The server cannot check the sign-in for now.', refusal);
  return answer(403, 'Could not authenticate with the SMTP server.', refusal);
}

/** Null when the reply is none of those known. */
export function meaning([code, text]: Refusal): readonly [status: number, message: string] | null {
  const [, , worded, said] = TEXTS.find(([known, wording]) => known === code && wording.test(text)) ?? [];
  if (worded !== undefined && said !== undefined) return [worded, said];
  const enhanced = /^\s*([245]\.\d{1,3}\.\d{1,3})\b/.exec(text)?.[1] ?? '';
  const [, , status, message] = RULES.find(([known, codes]) => known === code && codes.includes(enhanced)) ?? [];
  if (status !== undefined && message !== undefined) return [status, message];
  // Only the enhanced codes above were ever seen with a meaning of their own; these mean the same without.
  if (code === 450 || code === 451) return [429, REJECTED_FOR_NOW];
  if (code === 522 || code === 530) return [402, RECIPIENT];
  return null;
}

function answer(status: number, message: string, refusal: Refusal | null, details: object = {}): DomainError {
  const serverError = refusal ? { server_error: `${refusal[0]} : ${refusal[1]}` } : {};
  return new DomainError(status, 'api_error', message, { ...serverError, ...details });
}
