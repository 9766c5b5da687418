import { type CustomDecorator, SetMetadata } from '@nestjs/common';

/** What a token may be good for, as clients ask for it; a token without any is good for everything. */
export const SCOPES = [
  'email',
  'email.modify',
  'email.read_only',
  'email.metadata',
  'email.folders_and_labels',
  'email.drafts',
  'email.send',
  'calendar',
  'calendar.read_only',
  'contacts',
  'contacts.read_only',
  'room_resources.read_only',
] as const;
export type Scope = (typeof SCOPES)[number];

const reading = ['email', 'email.modify', 'email.read_only'] as const;
const changing = ['email', 'email.modify'] as const;

/** Each of them is enough. */
interface Needed {
  readonly toRead: readonly Scope[];
  readonly toChange: readonly Scope[];
}

/** By what a route is about. */
const needed = {
  mail: { toRead: reading, toChange: changing },
  // Without bodies, unless they are asked for by messages.
  threads: { toRead: [...reading, 'email.metadata'], toChange: changing },
  folders: {
    toRead: [...reading, 'email.metadata', 'email.folders_and_labels'],
    toChange: [...changing, 'email.folders_and_labels'],
  },
  drafts: { toRead: [...reading, 'email.drafts'], toChange: [...changing, 'email.drafts'] },
  // All that came with mail can be read by it; who writes uploads only.
  files: { toRead: reading, toChange: [...changing, 'email.drafts', 'email.send'] },
  sending: { toRead: ['email', 'email.send'], toChange: ['email', 'email.send'] },
  // What every token may know of its own account.
  account: { toRead: [...SCOPES], toChange: [...SCOPES] },
} as const satisfies Record<string, Needed>;

export type Subject = keyof typeof needed;

export const SUBJECT = 'scope-subject';

/** What the routes are about, which decides the scopes that open them. Every route that needs a token has it. */
export const About = (subject: Subject): CustomDecorator => SetMetadata(SUBJECT, subject);

/**
 * @param subject as `About` said it; a route that does not say it is open to tokens without scopes only
 * @returns the scopes of which a token needs one, when it has none of them; null when it may
 */
export function scopesMissing(
  held: readonly string[],
  subject: Subject | undefined,
  reads: boolean,
): readonly Scope[] | null {
  if (held.length === 0) return null;
  const { toRead, toChange }: Needed = subject ? needed[subject] : { toRead: [], toChange: [] };
  const wanted = reads ? toRead : toChange;
  return wanted.some((scope) => held.includes(scope)) ? null : wanted;
}
