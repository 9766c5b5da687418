import { XMLParser } from 'fast-xml-parser';

import type { MailSettings, ServerSettings, TransportSecurity } from '#libs/providers/contracts/connection-settings.js';

/** What an ISPDB or autoconfig document says about one mailbox. */
export interface AutoconfigAnswer {
  readonly settings: MailSettings;
  /** The servers take no password, only OAuth. */
  readonly oauthOnly: boolean;
  /** Domains the document claims to be about. */
  readonly domains: readonly string[];
}

interface Candidate extends ServerSettings {
  readonly oauthOnly: boolean;
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  processEntities: false,
  isArray: (name) => ['incomingServer', 'outgoingServer', 'authentication', 'domain'].includes(name),
});

const HOST = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i;

/**
 * Reads a `clientConfig` document (ISPDB, version 1.1) for one address: the first IMAP and SMTP server it lists that
 * speak TLS.
 * @returns null when the document lists no usable IMAP server, or is no such document
 */
export function parseAutoconfig(xml: string, email: string): AutoconfigAnswer | null {
  const provider = dig(read(xml), 'clientConfig', 'emailProvider');
  const imap = best(dig(provider, 'incomingServer'), 'imap', email);
  if (!imap) return null;
  const smtp = best(dig(provider, 'outgoingServer'), 'smtp', email);
  const domains = listOf(dig(provider, 'domain')).map((domain) => textOf(domain).toLowerCase());
  return { settings: { imap: plain(imap), smtp: smtp && plain(smtp) }, oauthOnly: imap.oauthOnly, domains };
}

function read(xml: string): unknown {
  try {
    return parser.parse(xml) as unknown;
  } catch {
    // Sites answer with web pages where they have no such document.
    return null;
  }
}

function best(servers: unknown, type: string, email: string): Candidate | null {
  const [first] = listOf(servers)
    .filter((server) => dig(server, '@type') === type)
    .map((server) => candidateOf(server, email))
    .filter((candidate) => candidate !== null);
  return first ?? null;
}

function candidateOf(server: unknown, email: string): Candidate | null {
  const host = fill(textOf(dig(server, 'hostname')), email).toLowerCase();
  const port = Number(textOf(dig(server, 'port')));
  const security = securityOf(textOf(dig(server, 'socketType')));
  if (!HOST.test(host) || !Number.isInteger(port) || port < 1 || port > 65_535 || !security) return null;
  const methods = listOf(dig(server, 'authentication')).map((method) => textOf(method).toLowerCase());
  return {
    host,
    port,
    security,
    username: fill(textOf(dig(server, 'username')) || '%EMAILADDRESS%', email),
    verifyCertificate: true,
    oauthOnly: methods.length > 0 && methods.every((method) => method === 'oauth2'),
  };
}

function plain({ host, port, security, username, verifyCertificate }: Candidate): ServerSettings {
  return { host, port, security, username, verifyCertificate };
}

function securityOf(socketType: string): TransportSecurity | null {
  switch (socketType.toUpperCase()) {
    case 'SSL':
      return 'tls';
    case 'STARTTLS':
      return 'starttls';
    default:
      // A published file must not talk anybody into sending a password in the clear.
      return null;
  }
}

function fill(text: string, email: string): string {
  const at = email.lastIndexOf('@');
  return text
    .replaceAll('%EMAILADDRESS%', email)
    .replaceAll('%EMAILLOCALPART%', email.slice(0, at))
    .replaceAll('%EMAILDOMAIN%', email.slice(at + 1));
}

function dig(value: unknown, ...path: string[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Record<string, unknown>)[key];
  }
  return here;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** An element's text, whether or not it has attributes too. */
function textOf(value: unknown): string {
  const text = typeof value === 'object' ? dig(value, '#text') : value;
  return typeof text === 'string' ? text.trim() : '';
}
