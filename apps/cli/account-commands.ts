import { PROGRAM } from '#libs/config/program.js';
import type { AccountProgress, AccountSummary } from '#libs/domain/accounts/accounts.service.js';

import type { Context } from './context.js';
import { CommandError, say, type Terminal } from './terminal.js';

export async function listAccounts(context: Context, terminal: Terminal, json: boolean): Promise<void> {
  const accounts = await context.accounts.list();
  if (json) return say(terminal, JSON.stringify(accounts.map(toJson)));
  if (accounts.length === 0)
    return say(terminal, `No account is connected yet. Connect one with: ${PROGRAM} account add you@example.com`);
  for (const line of table(accounts)) say(terminal, line);
}

export async function startAccount(context: Context, terminal: Terminal, ref: string): Promise<void> {
  const account = await oneAccount(context, ref);
  await context.accounts.start(account.id);
  say(terminal, `${account.emailAddress}: sync is on.`);
}

export async function stopAccount(context: Context, terminal: Terminal, ref: string): Promise<void> {
  const account = await oneAccount(context, ref);
  await context.accounts.stop(account.id);
  say(terminal, `${account.emailAddress}: sync is off. What was read stays readable.`);
}

export async function removeAccount(context: Context, terminal: Terminal, ref: string): Promise<void> {
  const account = await oneAccount(context, ref);
  await context.accounts.remove(account.id);
  say(
    terminal,
    `${account.emailAddress} was removed with everything that was read of it. Nothing changed on its server.`,
  );
}

export async function createToken(context: Context, terminal: Terminal, ref: string, json: boolean): Promise<void> {
  const account = await oneAccount(context, ref);
  const token = await context.tokens.issue(account.id, account.applicationId);
  say(terminal, json ? JSON.stringify({ account_id: account.id, access_token: token }) : token);
}

/** @throws CommandError unless exactly one account has this id or address */
async function oneAccount(context: Context, ref: string): Promise<AccountSummary> {
  const [account, another] = await context.accounts.find(ref);
  if (!account) throw new CommandError(`There is no account ${ref}`);
  if (another)
    throw new CommandError(`Several applications have an account ${ref}: give its id ("account list" shows it)`);
  return account;
}

function toJson(account: AccountProgress): Record<string, unknown> {
  return {
    account_id: account.id,
    email_address: account.emailAddress,
    name: account.name,
    provider: account.provider,
    sync_state: account.syncState,
    sync_state_reason: account.syncStateReason,
    synced: account.synced,
    total: account.total,
    linked_at: Math.floor(account.linkedAt.getTime() / 1000),
  };
}

function table(accounts: readonly AccountProgress[]): string[] {
  const rows = [
    ['EMAIL', 'ACCOUNT ID', 'STATE', 'SYNCED'],
    ...accounts.map((account) => [
      account.emailAddress,
      account.id,
      account.syncState,
      `${account.synced}/${account.total}${account.syncStateReason ? `  ${account.syncStateReason}` : ''}`,
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
