import { spawn } from 'node:child_process';
import path from 'node:path';

import { StartFault } from '#libs/config/run-process.js';

import { type FolderLock, lockFolder } from './folder-lock.js';
import { exitOf, signal, waitUntilGone } from './processes.js';
import { describeProcess, isRunning, readRuntime, removeRuntime, writeRuntime } from './runtime.js';
import { type DevelopmentApplication, developmentApplication, ownSecretKeys } from './secrets.js';
import { nodeFlags } from './node-flags.js';
import { checkFolders, checkPort, type LaunchSettings, launchSettings, makeDataDir } from './settings.js';
import { StopRequest } from './stop-request.js';
import { givenDatabase, givenRedis, ownDatabase, ownRedis, type Store } from './stores.js';
import { SupervisedProcess } from './supervised-process.js';

export interface LaunchOptions {
  /** The folder of package.json. */
  readonly root: string;
  /** With a sample mailbox on mail servers of our own. */
  readonly demo: boolean;
  /** How many worker processes share the accounts. */
  readonly workers: number;
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
}

/** Thrown between two steps of the start when somebody asked us to stop. */
class Stopped extends Error {}

/**
 * Starts everything and runs until it is asked to stop. Whatever happens, what was started is stopped again, in order:
 * API and worker first, the databases last.
 * @returns the exit code
 * @throws StartFault, ConfigError or FolderInUse with one line for people
 */
export async function launch(options: LaunchOptions): Promise<number> {
  const settings = launchSettings(options.root, options.demo, options.env);
  makeDataDir(settings.dataDir);
  const lock = lockFolder(settings.dataDir, 'launcher.lock');
  const installation = new Installation(options, settings, lock);
  try {
    await installation.start();
    await installation.stopRequest.requested;
  } catch (error) {
    // Whatever a stop in the middle of the start breaks is no news to the person who asked for it.
    if (installation.stopRequest.exitCode === null) throw error;
  } finally {
    await installation.stop();
  }
  return installation.stopRequest.exitCode ?? 0;
}

/** One running copy of Postrider on one data folder. */
class Installation {
  readonly stopRequest = new StopRequest(() => this.hurry());
  private readonly stops: Array<() => Promise<void>> = [];
  private readonly processes: SupervisedProcess[] = [];
  private environment: NodeJS.ProcessEnv;

  constructor(
    private readonly options: LaunchOptions,
    private readonly settings: LaunchSettings,
    private readonly lock: FolderLock,
  ) {
    this.environment = settings.environment;
    this.stops.push(async () => this.lock.release());
  }

  async start(): Promise<void> {
    const { config, dataDir, apiUrl } = this.settings;
    if (this.lock.inherited) await endLeftOvers(dataDir);
    checkFolders(config);
    await checkPort(config);
    const [database, redis] = await this.startStores();
    const keys = this.environment.SECRET_KEYS ?? ownSecretKeys(dataDir);
    const application = developmentApplication(dataDir, apiUrl);
    this.environment = {
      ...this.environment,
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      SECRET_KEYS: keys,
      NODE_NO_WARNINGS: '1',
    };
    await this.step(() => this.setUp(application));
    this.stops.push(async () => removeRuntime(dataDir));
    await this.step(() => this.startProcesses(['api', ...workerNames(this.options.workers)]));
    this.greet(application, database, redis);
    if (this.options.demo) await this.step(() => this.startDemo());
  }

  async stop(): Promise<void> {
    if (this.stopRequest.exitCode === null) this.stopRequest.ask(1);
    if (this.processes.length) this.options.say('Stopping …');
    while (this.stops.length) await this.stops.pop()?.();
  }

  private hurry(): void {
    for (const each of this.processes) each.kill();
    this.options.say('Still stopping: the databases are being closed properly');
  }

  private async step<T>(work: () => Promise<T>): Promise<T> {
    if (this.stopRequest.exitCode !== null) throw new Stopped();
    const result = await work();
    if (this.stopRequest.exitCode !== null) throw new Stopped();
    return result;
  }

  private async startStores(): Promise<[Store, Store]> {
    const { DATABASE_URL, REDIS_URL } = this.environment;
    const { dataDir } = this.settings;
    const { say } = this.options;
    const events = { say, lost: () => this.stopRequest.ask(1) };
    // What is given is checked before anything of ours is started: a wrong address then costs no waiting.
    const given = {
      database: DATABASE_URL ? await this.step(() => givenDatabase(DATABASE_URL)) : null,
      redis: REDIS_URL ? await this.step(() => givenRedis(REDIS_URL)) : null,
    };
    const own = async (start: () => Promise<Store>) => {
      const store = await start();
      this.stops.push(() => store.stop());
      return store;
    };
    const database =
      given.database ?? (await this.step(() => own(() => ownDatabase(path.join(dataDir, 'postgres'), events))));
    const redis = given.redis ?? (await this.step(() => own(() => ownRedis(path.join(dataDir, 'redis'), events))));
    return [database, redis];
  }

  /** Migrates the database and makes the development application known to it. */
  private async setUp({ client_id, client_secret }: DevelopmentApplication): Promise<void> {
    const child = spawn(process.execPath, [this.entry('cli'), 'setup'], {
      env: this.environment,
      stdio: ['pipe', 'ignore', 'inherit'],
      detached: true,
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(JSON.stringify({ client_id, client_secret, name: 'Development' }));
    const outcome = await exitOf(child);
    if (outcome !== 0) throw new StartFault(`The database could not be set up (${outcome}).`);
  }

  private async startProcesses(names: readonly string[]): Promise<void> {
    const started = names.map((name) => {
      const supervised = new SupervisedProcess({
        name,
        entry: this.entry(name.replace(/-\d+$/, '')),
        nodeFlags: nodeFlags(name.replace(/-\d+$/, '')),
        env: this.environment,
        logFile: path.join(this.settings.dataDir, 'logs', `${name}.log`),
        say: this.options.say,
        onChange: () => this.writeRuntime(),
      });
      this.processes.push(supervised);
      return supervised;
    });
    this.stops.push(async () => void (await Promise.all(this.processes.map((each) => each.stop()))));
    const starting = Promise.all(started.map((each) => each.start()));
    // A stop request while they start ends them, and that ends the waiting.
    void this.stopRequest.requested.then(() => Promise.all(started.map((each) => each.stop())));
    await starting;
  }

  private entry(app: string): string {
    return path.join(this.options.root, 'dist', 'apps', app, 'main.js');
  }

  private writeRuntime(): void {
    const {
      DATABASE_URL = '',
      REDIS_URL = '',
      SECRET_KEYS = '',
      HOST,
      PORT,
      EGRESS_ALLOW_PRIVATE,
      ISPDB_DIR,
      AUTODETECT_ONLINE,
    } = this.environment;
    const shared = { HOST, PORT, EGRESS_ALLOW_PRIVATE, ISPDB_DIR, AUTODETECT_ONLINE };
    const given = Object.entries(shared).filter((entry): entry is [string, string] => entry[1] !== undefined);
    writeRuntime(this.settings.dataDir, {
      launcher: describeProcess('launcher', process.pid),
      children: this.processes.flatMap(({ name, pid }) => (pid === null ? [] : [describeProcess(name, pid)])),
      environment: { DATABASE_URL, REDIS_URL, SECRET_KEYS, ...Object.fromEntries(given) },
    });
  }

  /** DATA_DIR as people would type it. */
  private get folder(): string {
    const shown = path.relative(this.options.root, this.settings.dataDir) || '.';
    return shown.startsWith('..') ? this.settings.dataDir : shown;
  }

  /** How people call our command line for this copy. */
  private get command(): string {
    return `${this.folder === 'var' ? '' : `DATA_DIR=${this.folder} `}npm run -s postrider --`;
  }

  private greet(application: DevelopmentApplication, database: Store, redis: Store): void {
    const lines = [
      `Postrider runs.  PostgreSQL: ${database.description}.  Redis: ${redis.description}.  Logs: ${this.folder}/logs`,
      '',
      `  API            ${application.api_url}`,
      `  documentation  ${application.api_url}/docs`,
      `  client id      ${application.client_id}`,
      `  client secret  ${application.client_secret}`,
      '',
    ];
    if (!this.options.demo) {
      lines.push('Connect a mailbox, in another terminal:', '');
      lines.push(`  ${this.command} account add you@example.com`, '');
      lines.push('Ctrl-C stops everything.');
    }
    for (const line of lines) this.options.say(line);
  }

  private async startDemo(): Promise<void> {
    // Loaded only here: its SMTP server is a development dependency.
    const { startDemo } = await import('./demo/demo.js');
    const demo = await startDemo({
      dir: path.join(this.settings.dataDir, 'mail'),
      apiUrl: this.settings.apiUrl,
      cli: { entry: this.entry('cli'), env: this.environment },
      say: this.options.say,
      command: this.command,
    });
    // Before API and worker, which talk to it, are gone nothing of it may stop.
    this.stops.splice(1, 0, () => demo.stop());
  }
}

function workerNames(count: number): string[] {
  return count === 1 ? ['worker'] : Array.from({ length: count }, (_, index) => `worker-${index + 1}`);
}

const LEAVING_MS = 10_000;

/** API and worker of a killed launcher leave by themselves; one that hangs is killed, so it cannot hold the port. */
async function endLeftOvers(dataDir: string): Promise<void> {
  const leftOvers = readRuntime(dataDir)?.children.filter(isRunning) ?? [];
  for (const { pid } of leftOvers) {
    if (await waitUntilGone(pid, LEAVING_MS)) continue;
    signal(pid, 'SIGKILL');
    await waitUntilGone(pid, LEAVING_MS);
  }
}
