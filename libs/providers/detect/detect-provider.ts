import type { MailSettings, ServerSettings } from '#libs/providers/contracts/connection-settings.js';

import { parseAutoconfig } from './autoconfig-xml.js';
import { type KnownProvider, knownProviders } from './known-providers.js';
import { settingsFromSrv, type SrvRecord } from './srv-settings.js';

/** Where detection looks. Each may fail or find nothing; both count as no answer. */
export interface DetectionSources {
  /** MX host names of a domain, the preferred one first. */
  mx(domain: string): Promise<readonly string[]>;
  srv(name: string): Promise<readonly SrvRecord[]>;
  /** The text behind an https address; null when there is none. */
  fetch(url: string): Promise<string | null>;
  /** The operator's own ISPDB entry for a domain. */
  localEntry(domain: string): Promise<string | null>;
}

export interface DetectedProvider {
  /** As `provider` on the wire; `imap` when it is nobody known by name. */
  readonly provider: string;
  readonly settings: MailSettings;
  readonly source: 'known' | 'mx' | 'local' | 'srv' | 'autoconfig';
  readonly signIn: KnownProvider['signIn'];
  readonly hint: string | null;
}

/**
 * Finds the mail servers of an address: known domains, the operator's entries, and when `online` also MX, then SRV and
 * autoconfig at once. Null when nobody knows.
 */
export async function detectProvider(
  email: string,
  sources: DetectionSources,
  online: boolean,
): Promise<DetectedProvider | null> {
  const domain = domainOf(email);
  if (!domain) return null;
  const known = knownProviders.find((provider) => provider.domains.includes(domain));
  if (known) return fromKnown(known, email, 'known');
  const local = await quietly(sources.localEntry(domain), null);
  const entry = local === null ? null : fromAutoconfig(local, email, 'local');
  if (entry || !online) return entry;
  const hosts = await quietly(sources.mx(domain), []);
  const host = knownByMx(hosts);
  if (host) return fromKnown(host, email, 'mx');
  const [srv, published] = await Promise.all([askSrv(domain, email, sources), askAutoconfig(domain, email, sources)]);
  return published ?? srv;
}

/** Settings of a provider that the caller names, e.g. `yahoo` for an address in a domain of its own. */
export function knownSettings(providerId: string, email: string): DetectedProvider | null {
  const candidates = knownProviders.filter((provider) => provider.id === providerId.toLowerCase());
  const byDomain = candidates.find((provider) => provider.domains.includes(domainOf(email) ?? ''));
  const chosen = byDomain ?? candidates[0];
  return chosen ? fromKnown(chosen, email, 'known') : null;
}

function domainOf(email: string): string | null {
  const match = /^[^\s@]+@([a-z0-9-]+(\.[a-z0-9-]+)+)$/i.exec(email.trim());
  return match ? match[1]!.toLowerCase() : null;
}

function knownByMx(hosts: readonly string[]): KnownProvider | null {
  for (const host of hosts) {
    const name = host.toLowerCase().replace(/\.$/, '');
    const known = knownProviders.find((provider) =>
      provider.mx.some((suffix) => name === suffix || name.endsWith(suffix.startsWith('.') ? suffix : `.${suffix}`)),
    );
    if (known) return known;
  }
  return null;
}

function fromKnown(known: KnownProvider, email: string, source: 'known' | 'mx'): DetectedProvider {
  const fill = ({ host, port, security, username }: KnownProvider['imap']): ServerSettings => ({
    host,
    port,
    security,
    username: username === 'address' ? email : email.slice(0, email.lastIndexOf('@')),
    verifyCertificate: true,
  });
  return {
    provider: known.id,
    settings: { imap: fill(known.imap), smtp: fill(known.smtp) },
    source,
    signIn: known.signIn,
    hint: known.hint,
  };
}

function fromAutoconfig(xml: string, email: string, source: 'local' | 'autoconfig'): DetectedProvider | null {
  const answer = parseAutoconfig(xml, email);
  if (!answer) return null;
  return {
    provider: 'imap',
    settings: answer.settings,
    source,
    signIn: answer.oauthOnly ? 'oauth' : 'password',
    hint: null,
  };
}

async function askSrv(domain: string, email: string, sources: DetectionSources): Promise<DetectedProvider | null> {
  const ask = (service: string) => quietly(sources.srv(`_${service}._tcp.${domain}`), []);
  const [imaps, imap, submissions, submission] = await Promise.all(
    ['imaps', 'imap', 'submissions', 'submission'].map(ask),
  );
  const settings = settingsFromSrv(
    { imaps: imaps ?? [], imap: imap ?? [], submissions: submissions ?? [], submission: submission ?? [] },
    email,
  );
  return settings && { provider: 'imap', settings, source: 'srv', signIn: 'password', hint: null };
}

/** The domain's own word counts more than the public collection's. */
async function askAutoconfig(
  domain: string,
  email: string,
  sources: DetectionSources,
): Promise<DetectedProvider | null> {
  const urls = [
    `https://autoconfig.${domain}/mail/config-v1.1.xml`,
    `https://${domain}/.well-known/autoconfig/mail/config-v1.1.xml`,
    `https://autoconfig.thunderbird.net/v1.1/${domain}`,
  ];
  const texts = await Promise.all(urls.map((url) => quietly(sources.fetch(url), null)));
  for (const text of texts) {
    const answer = text === null ? null : fromAutoconfig(text, email, 'autoconfig');
    if (answer) return answer;
  }
  return null;
}

/** Detection is a courtesy: a source that fails is one that knows nothing. */
function quietly<T>(answer: Promise<T>, nothing: T): Promise<T> {
  return answer.catch(() => nothing);
}
