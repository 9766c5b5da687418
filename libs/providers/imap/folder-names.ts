import type { FolderRole } from '#libs/providers/contracts/mail-driver.js';

type NamedRole = Extract<FolderRole, 'sent' | 'drafts' | 'trash' | 'spam' | 'archive'>;

const names: Readonly<Record<NamedRole, readonly string[]>> = {
  sent: ['sent'],
  drafts: ['drafts', 'draft'],
  trash: ['trash'],
  spam: ['spam', 'junk'],
  archive: ['archive'],
};

/** What a folder is for, judged by the last part of its name alone. */
export function roleByName(name: string): NamedRole | null {
  const folded = name.normalize('NFKC').toLowerCase().trim();
  for (const [role, known] of Object.entries(names) as [NamedRole, readonly string[]][]) {
    if (known.includes(folded)) return role;
  }
  return null;
}
