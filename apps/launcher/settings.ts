import fs from 'node:fs';
import path from 'node:path';

import { apiUrl } from '#libs/config/api-url.js';
import { type Config, readConfig } from '#libs/config/config.js';
import { StartFault } from '#libs/config/run-process.js';

import { whyNotListen } from './ports.js';

export interface LaunchSettings {
  /** The environment our processes get, still without the servers' addresses where those are ours. */
  readonly environment: NodeJS.ProcessEnv;
  readonly config: Config;
  readonly dataDir: string;
  readonly apiUrl: string;
}

/** What the demo needs to reach its own mail servers; anything given explicitly wins. */
const DEMO = { DATA_DIR: 'var/demo', EGRESS_ALLOW_PRIVATE: 'true', AUTODETECT_ONLINE: 'false' };

/** Stand-ins for what the launcher itself will provide, so that everything else can be checked first. */
const TO_COME = {
  DATABASE_URL: 'postgres://127.0.0.1/to-come',
  REDIS_URL: 'redis://127.0.0.1',
  SECRET_KEYS: `k1:${Buffer.alloc(32).toString('base64')}`,
};

/** Checks the settings before anything is started. @throws ConfigError naming the settings at fault */
export function launchSettings(root: string, demo: boolean, env: NodeJS.ProcessEnv): LaunchSettings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const environment: NodeJS.ProcessEnv = { ...(demo ? DEMO : {}), ...given };
  const dataDir = path.resolve(root, environment.DATA_DIR ?? 'var');
  environment.DATA_DIR = dataDir;
  const config = readConfig({ ...TO_COME, ...environment });
  return { environment, config, dataDir, apiUrl: apiUrl(config) };
}

const MAX_WORKERS = 64;

/** The number after `--workers`, or in `--workers=…`; 1 without it. @throws StartFault */
export function workersOf(argv: readonly string[]): number {
  const at = argv.findIndex((word) => /^--workers(=|$)/.test(word));
  if (at < 0) return 1;
  const given = argv[at]!.includes('=') ? argv[at]!.split('=')[1] : argv[at + 1];
  const count = /^\d{1,3}$/.test(given ?? '') ? Number(given) : 0;
  if (count >= 1 && count <= MAX_WORKERS) return count;
  throw new StartFault(`--workers: expected a whole number from 1 to ${MAX_WORKERS}`);
}

/** Makes DATA_DIR and the folders in it that hold other people's mail. @throws StartFault naming DATA_DIR */
export function makeDataDir(dataDir: string): void {
  try {
    // Others may pass through, as PostgreSQL's own user must, but not look.
    makeFolder(dataDir, 0o711);
    for (const name of ['blobs', 'logs']) makeFolder(path.join(dataDir, name), 0o700);
  } catch (error) {
    throw new StartFault(`DATA_DIR: cannot write to ${dataDir}: ${(error as Error).message}`);
  }
}

/** Not by `recursive`: where every try to make a folder is answered with ENOENT, as in /proc, Node tries for ever. */
function makeFolder(folder: string, mode: number): void {
  const isFolder = () => fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder()) {
    const parent = path.dirname(folder);
    if (!fs.existsSync(parent)) makeFolder(parent, mode);
    try {
      fs.mkdirSync(folder, { mode });
    } catch (error) {
      // Another start may have been faster.
      if (!isFolder()) throw error;
    }
  }
  fs.accessSync(folder, fs.constants.W_OK);
}

/** @throws StartFault naming ISPDB_DIR when it is no folder */
export function checkFolders({ ISPDB_DIR }: Pick<Config, 'ISPDB_DIR'>): void {
  if (ISPDB_DIR && !fs.statSync(ISPDB_DIR, { throwIfNoEntry: false })?.isDirectory())
    throw new StartFault(`ISPDB_DIR: there is no folder ${ISPDB_DIR}`);
}

/** @throws StartFault naming PORT or HOST when the API could not listen there */
export async function checkPort({ HOST, PORT }: Config): Promise<void> {
  const fault = await whyNotListen(HOST, PORT);
  if (fault === null) return;
  if (fault === 'EADDRINUSE') throw new StartFault(`PORT: ${PORT} is taken by another program; set PORT to a free one`);
  if (fault === 'EACCES') throw new StartFault(`PORT: this user may not listen on ${PORT}; set PORT to 1024 or above`);
  throw new StartFault(`HOST: cannot listen on ${HOST}:${PORT} (${fault})`);
}
