const OWN = /^([0-9a-z]{25})-(\d{1,9})@/;

/**
 * The Message-ID of a message written here: its id, and its version while it is a draft, so that a copy of an older
 * version is known as such. The domain is the sender's: receivers look at it.
 */
export function ownMessageId(id: string, version: number, from: string): string {
  const domain = /@([a-z0-9.-]+)$/i.exec(from)?.[1]?.toLowerCase() ?? 'localhost';
  return `${id}-${version}@${domain}`;
}

/** Which message a Message-ID says it is, if any of ours. Anybody can write one like that: see whether it is true. */
export function idIn(messageIdHeader: string | null): string | null {
  return OWN.exec(messageIdHeader ?? '')?.[1] ?? null;
}

/** The draft's version that such a Message-ID tells of; null when it is none. */
export function versionIn(messageIdHeader: string | null): number | null {
  const version = OWN.exec(messageIdHeader ?? '')?.[2];
  return version === undefined ? null : Number(version);
}
