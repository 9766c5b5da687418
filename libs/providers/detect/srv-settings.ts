import type { MailSettings, ServerSettings, TransportSecurity } from '#libs/providers/contracts/connection-settings.js';

export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

export interface SrvAnswers {
  readonly imaps: readonly SrvRecord[];
  readonly imap: readonly SrvRecord[];
  readonly submissions: readonly SrvRecord[];
  readonly submission: readonly SrvRecord[];
}

/** Mail servers from SRV records (RFC 6186, RFC 8314 5.1). Null when they name no IMAP server. */
export function settingsFromSrv(answers: SrvAnswers, email: string): MailSettings | null {
  const imap = serverOf(answers.imaps, 'tls', email) ?? serverOf(answers.imap, 'starttls', email);
  if (!imap) return null;
  // Port 465 under the older name is common, and means TLS from the start.
  const submission = serverOf(answers.submission, 'starttls', email);
  const smtp =
    serverOf(answers.submissions, 'tls', email) ??
    (submission && { ...submission, security: submission.port === 465 ? 'tls' : submission.security });
  return { imap, smtp };
}

function serverOf(records: readonly SrvRecord[], security: TransportSecurity, email: string): ServerSettings | null {
  const [first] = records
    // A target of "." says the service is decidedly not there.
    .filter((record) => record.name !== '' && record.name !== '.' && record.port > 0)
    .toSorted((a, b) => a.priority - b.priority || b.weight - a.weight);
  if (!first) return null;
  return { host: first.name.replace(/\.$/, ''), port: first.port, security, username: email, verifyCertificate: true };
}
