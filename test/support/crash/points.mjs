// Loaded into a worker (`--import`) by the crash test, and by nothing else: the product knows nothing of it. Wraps what
// writes to providers, so that a worker stands still at a marked point until it is killed there. CRASH_DIR holds
// `plan.json` (crash-plan.ts), `passed.log` with every point that was passed, and `held/` with a file for each account
// that stands still.
import { AsyncLocalStorage } from 'node:async_hooks';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';

const dir = process.env.CRASH_DIR;
/** Account and kind of what is being done. */
const doing = new AsyncLocalStorage();
/** What else waits for it: a place among those that the worker does at a time. */
const place = new AsyncLocalStorage();
const passages = new Map();

const plan = () => JSON.parse(fs.readFileSync(path.join(dir, 'plan.json'), 'utf8'));

/** Does not return when the plan says that the account's worker dies here. */
async function point(name) {
  const { accountId, kind } = doing.getStore() ?? {};
  if (accountId === undefined) return;
  const where = `${kind} ${name}`;
  const planned = plan()[accountId];
  const key = `${accountId} ${planned?.run} ${where}`;
  const passage = (passages.get(key) ?? 0) + 1;
  passages.set(key, passage);
  fs.appendFileSync(path.join(dir, 'passed.log'), `${accountId}\t${planned?.run ?? ''}\t${where} ${passage}\n`);
  if (planned?.point !== `${where} ${passage}`) return;
  fs.writeFileSync(path.join(dir, 'held', accountId), planned.run);
  place.getStore()?.();
  await new Promise(() => {});
}

function replace(owner, method, wrap) {
  const original = owner[method];
  if (typeof original !== 'function') throw new Error(`there is no ${method} to crash in`);
  owner[method] = wrap(original);
}

/** A point before and one after it. */
const around = (owner, method, nameOf) =>
  replace(
    owner,
    method,
    (original) =>
      async function (...args) {
        const name = nameOf(...args);
        if (name === null) return original.apply(this, args);
        await point(`before ${name}`);
        const result = await original.apply(this, args);
        await point(`after ${name}`);
        return result;
      },
  );

/** A point before something that answers to a callback. */
const before = (owner, method, name) =>
  replace(
    owner,
    method,
    (original) =>
      function (...args) {
        void point(`before ${name}`).then(() => original.apply(this, args));
      },
  );

/** All that happens inside belongs to one account and one kind of action. */
const scope = (owner, method, accountOf, kindOf) =>
  replace(
    owner,
    method,
    (original) =>
      function (...args) {
        return doing.run({ accountId: accountOf(...args), kind: kindOf(...args) }, async () => {
          await point('before all');
          const result = await original.apply(this, args);
          await point('after all');
          return result;
        });
      },
  );

/** What stands still inside takes no place from others: as many may die at a time as are sent. */
const givingWay = (owner, method, whenHeld) =>
  replace(
    owner,
    method,
    (original) =>
      function (...args) {
        return new Promise((resolve, reject) => {
          place.run(
            () => resolve(whenHeld),
            () => original.apply(this, args).then(resolve, reject),
          );
        });
      },
  );

const DUE_KIND = 'send later';
const CLAIM = 'before claim';

/** Who dies in the middle of claiming what is due has its row locked, and nothing done to it. */
async function lockDue(writer) {
  for (const [accountId, { point: planned }] of Object.entries(plan())) {
    if (planned !== null && planned !== `${DUE_KIND} ${CLAIM} 1`) continue;
    const locked = writer.write(accountId, async (tx) => {
      const rows = await tx.query(
        `SELECT id FROM sends WHERE account_id = $1 AND state = 'scheduled' AND due_at <= now() FOR UPDATE SKIP LOCKED`,
        [accountId],
      );
      if (rows.length > 0) await doing.run({ accountId, kind: DUE_KIND }, () => point(CLAIM));
    });
    await Promise.race([locked, new Promise((resolve) => setTimeout(resolve, 100))]);
  }
}

const WRITING = new Set(['STORE', 'MOVE', 'COPY', 'EXPUNGE', 'APPEND', 'CREATE', 'RENAME', 'DELETE']);

function writingCommand(command) {
  const verb = command.replace(/^UID /, '');
  return WRITING.has(verb) ? verb : null;
}

async function wrapEverything() {
  await import('reflect-metadata');
  const { ImapFlow } = await import('imapflow');
  const { default: SMTPConnection } = await import('nodemailer/lib/smtp-connection');
  const { RemoteCallsProcessor } = await import(
    pathToFileURL(path.resolve(process.argv[1], '../remote-calls/remote-calls.processor.js')).href
  );
  const { AccountWriter } = await import('#libs/changes/account-writer.js');
  const { SmtpSender } = await import('#libs/providers/smtp/smtp-sender.js');
  const { SendStore } = await import('#libs/sync/send/send-store.js');
  const { Sending } = await import('#libs/sync/send/sending.service.js');
  const { CopyEffects } = await import('#libs/sync/syncback/copy-effects.js');
  const { DraftEffects } = await import('#libs/sync/syncback/draft-effects.js');
  const { FolderEffects } = await import('#libs/sync/syncback/folder-effects.js');
  const { MessageEffects } = await import('#libs/sync/syncback/message-effects.js');
  const { SentEffects } = await import('#libs/sync/syncback/sent-effects.js');

  const ofSession = [(watch) => watch.account.id, (_watch, action) => [action].flat()[0].kind];
  for (const { prototype } of [CopyEffects, DraftEffects, FolderEffects, MessageEffects, SentEffects]) {
    scope(prototype, 'run', ...ofSession);
  }
  scope(
    Sending.prototype,
    'run',
    (accountId) => accountId,
    () => 'send',
  );
  replace(
    Sending.prototype,
    'runDue',
    (original) =>
      async function () {
        await lockDue(this.writer);
        return original.call(this);
      },
  );
  replace(
    Sending.prototype,
    'carryOut',
    (original) =>
      function (send) {
        if (doing.getStore()) return original.call(this, send);
        return doing.run({ accountId: send.accountId, kind: DUE_KIND }, async () => {
          await point('after claim');
          const result = await original.call(this, send);
          await point('after all');
          return result;
        });
      },
  );
  givingWay(Sending.prototype, 'runDue', true);
  givingWay(RemoteCallsProcessor.prototype, 'run', undefined);

  around(ImapFlow.prototype, 'exec', writingCommand);
  replace(
    AccountWriter.prototype,
    'write',
    (original) =>
      async function (accountId, work, options) {
        const atItsEnd = async (tx) => {
          const result = await work(tx);
          await point('before COMMIT');
          return result;
        };
        const result = await original.call(this, accountId, atItsEnd, options);
        await point('after COMMIT');
        return result;
      },
  );

  around(SendStore.prototype, 'claim', () => 'claim');
  around(SendStore.prototype, 'commit', () => 'point of no return');
  around(SmtpSender.prototype, 'send', () => 'submission');
  before(SMTPConnection.prototype, 'login', 'AUTH');
  before(SMTPConnection.prototype, 'send', 'MAIL');
}

if (dir && isMainThread && process.argv[1]?.endsWith(path.join('worker', 'main.js'))) await wrapEverything();
