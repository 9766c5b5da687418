import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { unpackPackages } from '../packages.js';
import { freePort } from '../ports.js';
import { dovecotConfig, type DovecotLayout, type DovecotSettings } from './dovecot-config.js';

const run = promisify(execFile);

/** A start takes a tenth of a second, unless the machine is busy. */
const START_MS = 60_000;

const packages = [
  'dovecot-core',
  'dovecot-imapd',
  'dovecot-lmtpd',
  'libexttextcat-2.0-0',
  'libexttextcat-data',
  'liblua5.4-0',
  'libwrap0',
] as const;

export interface DovecotOptions {
  /** Configuration, log and mail live here; mail of an earlier run is kept. */
  readonly dir: string;
  /** Address to password. */
  readonly users: Readonly<Record<string, string>>;
  readonly settings?: DovecotSettings;
  /** Told when Dovecot has to be fetched first. */
  readonly say?: (line: string) => void;
}

export interface Dovecot {
  readonly host: '127.0.0.1';
  readonly imapPort: number;
  readonly lmtpPort: number;
  /** Null without `settings.tls`. The certificate is self-signed and names `localhost`. */
  readonly imapsPort: number | null;
  /** PEM; null without `settings.tls`. */
  readonly certificate: string | null;
  readonly pid: number;
  /** The Maildir of a user. Files put there from outside must belong to `owner`. */
  mailDir(user: string): string;
  readonly owner: { readonly uid: number; readonly gid: number };
  addUser(user: string, password: string): void;
  /** Runs Dovecot's own administration tool. @throws when it fails */
  doveadm(...words: readonly string[]): Promise<void>;
  log(): string;
  /** Ends every connection; comes back on the same ports with the same mail. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a Dovecot of our own on loopback, with free ports, as root or as an ordinary user. It dies with this process,
 * even when that one is killed.
 */
export async function startDovecot({ dir, users, settings = {}, say }: DovecotOptions): Promise<Dovecot> {
  const at = await layOut(dir, settings, say);
  for (const [user, password] of Object.entries(users)) writeUser(at.data, user, password);
  await writeFile(configuration(at), dovecotConfig(at, settings));

  const log = () => (existsSync(join(dir, 'dovecot.log')) ? readFileSync(join(dir, 'dovecot.log'), 'utf8') : '');
  const cleanUp = async () => {
    if (!at.runDir.startsWith(dir)) await rm(at.runDir, { recursive: true, force: true });
  };
  let running = await launch(at, log).catch(async (error: unknown) => {
    await cleanUp();
    throw error;
  });
  return {
    host: '127.0.0.1',
    imapPort: at.imapPort,
    lmtpPort: at.lmtpPort,
    imapsPort: at.tls?.port ?? null,
    certificate: at.tls && readFileSync(at.tls.certificate, 'utf8'),
    get pid() {
      return running.child.pid ?? 0;
    },
    mailDir: (user) => join(at.data, 'mail', user),
    owner: { uid: at.uid, gid: at.gid },
    addUser: (user, password) => writeUser(at.data, user, password),
    doveadm: async (...words) => {
      const [program, argv, env] = configured(at, 'doveadm', 'usr/bin/doveadm', words);
      await run(program, argv, { env });
    },
    log,
    restart: async () => {
      await end(running);
      running = await launch(at, log);
    },
    stop: async () => {
      await end(running);
      await cleanUp();
    },
  };
}

interface Running {
  readonly child: ChildProcess;
  readonly leash: ChildProcess;
}

const configuration = (at: DovecotLayout) => join(at.dir, 'dovecot.conf');

/** Dovecot's programs would read their configuration by running /usr/bin/doveconf, which need not be there. */
function configured(
  at: DovecotLayout,
  module: string,
  program: string,
  words: readonly string[],
): [string, string[], NodeJS.ProcessEnv] {
  const reader = ['-f', `service=${module}`, '-c', configuration(at), '-m', module, '-e'];
  const env = { ...process.env, LD_LIBRARY_PATH: at.libraryPath };
  return [join(at.prefix, 'usr/bin/doveconf'), [...reader, join(at.prefix, program), ...words], env];
}

async function launch(at: DovecotLayout, log: () => string): Promise<Running> {
  const [program, argv, env] = configured(at, 'master', 'usr/sbin/dovecot', ['-F', '-c', configuration(at)]);
  const child = spawn(program, argv, { stdio: ['ignore', 'ignore', 'pipe'], detached: true, env });
  const running = { child, leash: tie(child) };
  try {
    await greeting(child, at.imapPort, log);
    return running;
  } catch (error) {
    await end(running);
    throw error;
  }
}

async function end({ child, leash }: Running): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  leash.kill('SIGKILL');
}

async function layOut(dir: string, settings: DovecotSettings, say: DovecotOptions['say']): Promise<DovecotLayout> {
  const tree = await unpackPackages('dovecot', packages, say);
  const programs = join(tree.root, 'usr/lib/dovecot');
  await relocateModules(programs);
  const isRoot = process.getuid?.() === 0;
  const who = isRoot ? unprivileged() : ordinary();
  for (const folder of ['run', 'state']) await mkdir(join(dir, folder), { recursive: true });
  // Made for us alone, as by mkdtemp, it would keep Dovecot's user out.
  await chmod(dir, 0o755);
  const data = isRoot && !(await isOpenToAll(dir)) ? elsewhere(dir) : dir;
  await mkdir(data, { recursive: true });
  await chmod(data, 0o755);
  for (const folder of ['users', 'mail']) {
    await mkdir(join(data, folder), { recursive: true, mode: 0o700 });
    if (isRoot) await chown(join(data, folder), who.uid, who.gid);
  }
  const runDir = dir.length > 60 ? await mkdtemp(join(tmpdir(), 'dovecot-')) : join(dir, 'run');
  if (isRoot) await chmod(runDir, 0o755);
  await rm(join(runDir, 'modules'), { force: true });
  await symlink(join(programs, 'modules'), join(runDir, 'modules'));
  return {
    prefix: tree.root,
    libraryPath: `${programs}:${programs}/modules/old-stats:${tree.libraryPath}`,
    runDir,
    dir,
    data,
    imapPort: await freePort(),
    lmtpPort: await freePort(),
    chroots: isRoot,
    ...who,
    tls: settings.tls ? { port: await freePort(), ...(await selfSigned(dir)) } : null,
  };
}

interface Identity {
  readonly user: string;
  readonly group: string;
  readonly uid: number;
  readonly gid: number;
}

function ordinary(): Identity {
  const { username, uid, gid } = userInfo();
  return { user: username, group: nameOf('/etc/group', gid), uid, gid };
}

/** Dovecot refuses to touch mail as root. */
function unprivileged(): Identity {
  const [, , uid, gid] = entry('/etc/passwd', (fields) => fields[0] === 'nobody');
  return { user: 'nobody', group: nameOf('/etc/group', Number(gid)), uid: Number(uid), gid: Number(gid) };
}

const nameOf = (file: string, id: number) => entry(file, (fields) => Number(fields[2]) === id)[0] ?? String(id);

function entry(file: string, matches: (fields: string[]) => boolean): string[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.map((line) => line.split(':')).find(matches) ?? [];
}

/** Whether the unprivileged user can come as far as this folder. */
async function isOpenToAll(folder: string): Promise<boolean> {
  for (let at = folder; ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/** A lasting place for mail and users of a server that root keeps below a closed folder such as its home. */
const elsewhere = (dir: string) =>
  join('/var/tmp', `postrider-dovecot-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}`);

/** One file per user: Dovecot looks at a file it knows at most once a second. */
function writeUser(data: string, user: string, password: string): void {
  const secret = Buffer.from(password).toString('base64');
  writeFileSync(join(data, 'users', user), `${user}:{PLAIN.b64}${secret}::::::\n`);
}

async function selfSigned(dir: string): Promise<{ certificate: string; key: string }> {
  const certificate = join(dir, 'certificate.pem');
  const key = join(dir, 'key.pem');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'];
  await run('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', certificate]);
  return { certificate, key };
}

/**
 * The login process insists on loading its TLS module from `/usr/lib/dovecot/modules`, a path compiled into the library.
 * In our private copy it becomes a relative one of the same length; every Dovecot process starts in `base_dir`, where a
 * link leads to the unpacked modules.
 */
async function relocateModules(programs: string): Promise<void> {
  const path = join(programs, 'libdovecot.so.0.0.0');
  const library = await readFile(path);
  const at = library.indexOf('/usr/lib/dovecot/modules\0');
  if (at < 0) return;
  library.write('./'.repeat('/usr/lib/dovecot'.length / 2), at, 'latin1');
  const copy = `${path}.${process.pid}`;
  await writeFile(copy, library);
  await rename(copy, path);
}

/** A shell that holds a pipe from us and ends the server when the pipe breaks, that is, however we die. */
function tie(child: ChildProcess): ChildProcess {
  const leash = spawn('/bin/sh', ['-c', 'cat >/dev/null; kill -TERM "$0" 2>/dev/null', String(child.pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  leash.unref();
  return leash;
}

async function greeting(child: ChildProcess, port: number, log: () => string): Promise<void> {
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  let failure: unknown;
  child.once('error', (error) => (failure = error));
  const deadline = Date.now() + START_MS;
  while (child.exitCode === null && failure === undefined && Date.now() < deadline) {
    if (await greets(port)) return;
    await delay(20);
  }
  throw new Error(`Dovecot did not start: ${failure instanceof Error ? failure.message : complaint}\n${log()}`);
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(1000, () => answer(false));
    socket.once('data', (data) => answer(data.toString('latin1').startsWith('* OK')));
    socket.once('error', () => answer(false));
    socket.once('close', () => resolve(false));
  });
}
