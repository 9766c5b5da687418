import 'reflect-metadata';

import { parseArgs, type ParseArgsConfig } from 'node:util';

import { DomainError } from '#libs/common/errors.js';
import { SealError } from '#libs/common/secret-box.js';
import { type Config, ConfigError, readConfig } from '#libs/config/config.js';
import { PROGRAM } from '#libs/config/program.js';

import { addAccount, type AddFlags, addOptions } from './account-add.js';
import { createToken, listAccounts, removeAccount, startAccount, stopAccount } from './account-commands.js';
import {
  type ApplicationFlags,
  createApplication,
  createAppOptions,
  listApplications,
  rotateOptions,
  rotateSecret,
} from './application-commands.js';
import { type Context, openContext } from './context.js';
import { rotateKeys } from './keys.js';
import { migrate, setUp } from './setup.js';
import { CommandError, say, type Terminal } from './terminal.js';

const HELP = `Usage: postrider <command>

  account add <email>         connect a mailbox; asks for its password, and for servers that cannot be detected.
                              Adding it again renews password and servers
    --password-stdin          read the password from standard input
    --imap-host, --imap-port, --imap-security tls|starttls|none, --imap-username
    --smtp-host, --smtp-port, --smtp-security tls|starttls|none, --smtp-username
    --no-verify-certificate   accept any certificate from these servers
    --name <name>             the owner's name
    --app <client id>         the application it is for; the first one by default
    --json                    print {account_id, namespace_id, access_token}
  account list [--json]       accounts, their state and progress
  account start <account>     sync (again)
  account stop <account>      stop syncing; mail stays readable
  account remove <account>    remove the account and its mail from here
  token create <account>      make another access token [--json]
  app create <name>           make an application [--json]; its secret is shown this once
    --redirect-uri <address>  where people may be sent after they signed in; may be given several times
  app list [--json]           applications
  app rotate-secret <client id>  give it another secret [--json]
    --grace-hours <hours>     how long the present one is taken beside it, 24 by default
  keys rotate                 seal every secret again with the first of SECRET_KEYS; then the others may go
  migrate                     bring the database up to date
  setup                       migrate, and create the application given as JSON on standard input
  help                        this text

<account> is an email address or an account id.`;

type Flags = AddFlags & ApplicationFlags;

interface Command {
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /** Name of its one argument; null for none. */
  readonly argument: string | null;
  readonly run: (context: Context, terminal: Terminal, argument: string, flags: Flags) => Promise<void>;
}

const json = { json: { type: 'boolean' } } as const;

const commands: Readonly<Record<string, Command>> = {
  'account add': { options: addOptions, argument: 'email', run: addAccount },
  'account list': { options: json, argument: null, run: (c, t, _a, flags) => listAccounts(c, t, flags.json === true) },
  'account start': { options: {}, argument: 'account', run: startAccount },
  'account stop': { options: {}, argument: 'account', run: stopAccount },
  'account remove': { options: {}, argument: 'account', run: removeAccount },
  'token create': {
    options: json,
    argument: 'account',
    run: (c, t, a, flags) => createToken(c, t, a, flags.json === true),
  },
  'app create': { options: createAppOptions, argument: 'name', run: createApplication },
  'app list': { options: json, argument: null, run: (c, t, _a, flags) => listApplications(c, t, flags.json === true) },
  'app rotate-secret': { options: rotateOptions, argument: 'client id', run: rotateSecret },
  'keys rotate': { options: {}, argument: null, run: rotateKeys },
  migrate: { options: {}, argument: null, run: (context) => migrate(context.dataSource) },
  setup: { options: {}, argument: null, run: setUp },
};

/**
 * Runs the command that this process was called with.
 * @param absent why commands cannot work here, when nothing runs that they could work on
 */
export async function runHere(absent: string | null = null): Promise<void> {
  const configure = () => {
    if (absent !== null) throw new CommandError(absent);
    return readConfig();
  };
  const complain = (line: string) => void process.stderr.write(`${line}\n`);
  const terminal = { input: process.stdin, output: process.stdout };
  process.exitCode = await run(process.argv.slice(2), terminal, complain, configure);
}

/** Runs one command. @returns the exit code; what went wrong is told to `complain` in one line. */
export async function run(
  argv: readonly string[],
  terminal: Terminal,
  complain: (line: string) => void,
  configure: () => Config = readConfig,
): Promise<number> {
  try {
    if ((argv[0] ?? 'help') === 'help' || argv.includes('--help') || argv.includes('-h')) say(terminal, HELP);
    else await dispatch(argv, terminal, configure);
    return 0;
  } catch (error) {
    complain(explain(error));
    return 1;
  }
}

async function dispatch(argv: readonly string[], terminal: Terminal, configure: () => Config): Promise<void> {
  const name = [argv.slice(0, 2).join(' '), argv[0] ?? ''].find((candidate) => Object.hasOwn(commands, candidate));
  const command = name === undefined ? undefined : commands[name];
  if (name === undefined || !command) throw new CommandError(unknown(argv));
  const { values, positionals } = parse(argv.slice(name.split(' ').length), command);
  if (positionals.length !== (command.argument === null ? 0 : 1)) {
    throw new CommandError(`Usage: postrider ${name}${command.argument ? ` <${command.argument}>` : ''}`);
  }
  const context = await openContext(configure());
  try {
    await command.run(context, terminal, positionals[0] ?? '', values);
  } finally {
    await context.close();
  }
}

function unknown(argv: readonly string[]): string {
  const family = Object.keys(commands).filter((name) => name.startsWith(`${argv[0]} `));
  const known = (family.length ? family : Object.keys(commands)).join(', ');
  return `Unknown command "${argv.slice(0, 2).join(' ')}". There are: ${known}. "${PROGRAM} help" explains them`;
}

function parse(args: string[], command: Command): { values: Flags; positionals: string[] } {
  try {
    const { values, positionals } = parseArgs({ args, options: command.options, allowPositionals: true, strict: true });
    return { values: values as Flags, positionals };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new CommandError(text.split(/[.\n]/, 1)[0] ?? text);
  }
}

function explain(error: unknown): string {
  if (error instanceof CommandError || error instanceof ConfigError) return error.message;
  if (error instanceof DomainError || error instanceof SealError) return error.message;
  const { code, message } = faultOf(error);
  if (code === '42P01') return `The database has no tables yet: run "${PROGRAM} migrate" first`;
  if (/^(ECONN|ENOTFOUND|EAI_|ETIMEDOUT|28|3D|57P)/.test(code))
    return `DATABASE_URL: the database cannot be reached (${code})`;
  return `Unexpected error: ${message.split('\n', 1)[0] ?? ''}`;
}

function faultOf(error: unknown): { code: string; message: string } {
  const { code, message, errors } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown;
    message?: unknown;
    errors?: unknown;
  };
  if (Array.isArray(errors) && typeof code !== 'string') return faultOf(errors[0]);
  return { code: typeof code === 'string' ? code : '', message: typeof message === 'string' ? message : String(error) };
}
