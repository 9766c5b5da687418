/** One address of a message. `name` is '' when the header gave none; `email` is kept as the header spelled it. */
export interface Participant {
  readonly name: string;
  readonly email: string;
}

/** In which fields of a message an address stands: bits of Message.emailFields and ThreadParticipant.fields. */
export const ParticipantField = { from: 1, to: 2, cc: 4, bcc: 8, replyTo: 16 } as const;

const DOTLESS_DOMAINS = new Set(['gmail.com', 'googlemail.com']);

/**
 * The form in which addresses are compared: lower case, and without dots in the local part for Gmail, whose users
 * own every dotted spelling. Plus tags are kept: they are used to tell mail apart.
 */
export function canonicalEmail(email: string): string {
  const lower = email.trim().toLowerCase();
  const at = lower.lastIndexOf('@');
  if (at < 1 || !DOTLESS_DOMAINS.has(lower.slice(at + 1))) return lower;
  return lower.slice(0, at).replaceAll('.', '') + lower.slice(at);
}
