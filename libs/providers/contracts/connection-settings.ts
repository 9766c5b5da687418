export type TransportSecurity = 'tls' | 'starttls' | 'none';

export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  readonly security: TransportSecurity;
  readonly username: string;
  /** False only when the account says so explicitly: the server's certificate is then not verified. */
  readonly verifyCertificate: boolean;
}

/** Where an account's mail lives. Stored on the account as JSON; holds no secret. */
export interface MailSettings {
  readonly imap: ServerSettings;
  /** Null for an account that only reads. */
  readonly smtp: ServerSettings | null;
}

/** The provider authorisation of one account, unsealed. Lives in memory only. */
export type GrantSecret = {
  readonly kind: 'password';
  readonly imapPassword: string;
  readonly smtpPassword: string;
};
