import { PROGRAM } from '#libs/config/program.js';
import type { ApplicationRef } from '#libs/domain/applications/applications.service.js';
import type { MailSettings } from '#libs/providers/contracts/connection-settings.js';
import type { DetectedProvider } from '#libs/providers/detect/detect-provider.js';
import { verifyCredentials } from '#libs/providers/registry/verify-credentials.js';

import type { Context } from './context.js';
import { type ServerFlags, settingsFrom } from './server-settings.js';
import { ask, askHidden, CommandError, firstLine, isInteractive, say, type Terminal } from './terminal.js';

export const addOptions = {
  'password-stdin': { type: 'boolean' },
  'imap-host': { type: 'string' },
  'imap-port': { type: 'string' },
  'imap-security': { type: 'string' },
  'imap-username': { type: 'string' },
  'smtp-host': { type: 'string' },
  'smtp-port': { type: 'string' },
  'smtp-security': { type: 'string' },
  'smtp-username': { type: 'string' },
  'no-verify-certificate': { type: 'boolean' },
  name: { type: 'string' },
  app: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export type AddFlags = {
  readonly [K in keyof typeof addOptions]?: (typeof addOptions)[K]['type'] extends 'boolean' ? boolean : string;
};

/** `account add`: finds the servers, asks for what is missing, signs in once to see that it works, stores the account. */
export async function addAccount(context: Context, terminal: Terminal, email: string, flags: AddFlags): Promise<void> {
  if (!/^[^\s@]+@[^\s@]+$/.test(email)) throw new CommandError(`${email} is no email address`);
  const application = await applicationFor(context, flags.app);
  const detected = needsDetection(flags) ? await context.detection.detect(email) : null;
  if (detected?.signIn === 'oauth' && !flags['imap-host']) {
    throw new CommandError(
      `${email}: ${detected.hint ?? 'This provider signs in with OAuth only.'} That is not available yet.`,
    );
  }
  const settings = await settle(terminal, email, flags, detected);
  if (detected?.hint && isInteractive(terminal)) say(terminal, detected.hint);
  const password = await readPassword(terminal, email, flags);
  const secret = { kind: 'password', imapPassword: password, smtpPassword: password } as const;
  await verifyCredentials(context.registry, context.guard, { kind: 'imap', settings, secret });
  const account = await context.accounts.connect({
    applicationId: application.id,
    email,
    name: flags.name ?? '',
    provider: flags['imap-host'] ? 'imap' : (detected?.provider ?? 'imap'),
    kind: 'imap',
    settings,
    secret,
  });
  const token = await context.tokens.issue(account.id, application.id);
  if (!settings.smtp && !flags.json) say(terminal, 'No SMTP server is known: this account can only receive.');
  const connected = { account_id: account.id, namespace_id: account.id, access_token: token };
  if (flags.json) return say(terminal, JSON.stringify(connected));
  report(terminal, email, connected, context.apiUrl);
}

async function applicationFor({ applications }: Context, clientId: string | undefined): Promise<ApplicationRef> {
  const application = clientId === undefined ? await applications.first() : await applications.byClientId(clientId);
  if (application) return application;
  throw new CommandError(
    clientId === undefined ? 'There is no application yet: run "setup" first' : `There is no application ${clientId}`,
  );
}

function needsDetection(flags: AddFlags): boolean {
  return !flags['imap-host'] || !flags['smtp-host'];
}

/** On a terminal asks for servers that neither flags nor detection know. */
async function settle(
  terminal: Terminal,
  email: string,
  flags: AddFlags,
  detected: DetectedProvider | null,
): Promise<MailSettings> {
  const verify = !flags['no-verify-certificate'];
  let [imap, smtp] = [serverFlags('imap', flags), serverFlags('smtp', flags)];
  if (!imap.host && !detected && isInteractive(terminal) && !flags['password-stdin']) {
    say(terminal, `The mail servers of ${email} could not be detected.`);
    imap = await askServer(terminal, 'IMAP', imap, '993', 'tls');
    smtp = await askServer(terminal, 'SMTP', smtp, '465', 'tls');
  }
  return settingsFrom(email, imap, smtp, detected, verify);
}

function serverFlags(kind: 'imap' | 'smtp', flags: AddFlags): ServerFlags {
  return {
    host: flags[`${kind}-host`],
    port: flags[`${kind}-port`],
    security: flags[`${kind}-security`],
    username: flags[`${kind}-username`],
  };
}

async function askServer(
  terminal: Terminal,
  title: string,
  flags: ServerFlags,
  port: string,
  security: string,
): Promise<ServerFlags> {
  const host = await ask(terminal, `${title} server${title === 'SMTP' ? ' (empty: receive only)' : ''}`, flags.host);
  if (!host) return flags;
  return {
    host,
    port: await ask(terminal, `${title} port`, flags.port ?? port),
    security: await ask(terminal, `${title} security (tls, starttls, none)`, flags.security ?? security),
    username: (await ask(terminal, `${title} user name (empty: the address)`, flags.username)) || undefined,
  };
}

async function readPassword(terminal: Terminal, email: string, flags: AddFlags): Promise<string> {
  if (!flags['password-stdin'] && !isInteractive(terminal)) {
    throw new CommandError('There is no terminal to ask for the password: use --password-stdin');
  }
  const password = flags['password-stdin']
    ? await firstLine(terminal)
    : await askHidden(terminal, `Password of ${email}`);
  if (!password) throw new CommandError('The password is empty');
  return password;
}

function report(terminal: Terminal, email: string, connected: Record<string, string>, apiUrl: string): void {
  say(terminal, `${email} is connected. Its newest mail is there in a moment, the rest follows:\n`);
  say(terminal, `  curl -u ${connected.access_token}: '${apiUrl}/threads?limit=5'\n`);
  for (const [key, value] of Object.entries(connected)) say(terminal, `  ${key.replace('_', ' ').padEnd(13)} ${value}`);
  say(terminal, `\nThe access token is shown this once; "${PROGRAM} token create ${email}" makes another.`);
}
