import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { CORE_SCHEMA, load, mergeTag } from 'js-yaml';

import { environment, readConfig } from '#libs/config/config.js';

import { nodeFlags } from '../../apps/launcher/node-flags.js';

const ROOT = path.resolve(__dirname, '../..');
const read = (name: string) => fs.readFileSync(path.join(ROOT, name), 'utf8');

interface Service {
  readonly environment: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly healthcheck?: object;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
}

const compose = load(read('docker-compose.yml'), { schema: CORE_SCHEMA.withTags(mergeTag) }) as Compose;
const ours = Object.entries(compose.services).filter(([name]) => !['postgres', 'redis'].includes(name));
/** What the README has people write into `.env`. */
const secrets = Object.fromEntries(
  execFileSync(process.execPath, [path.join(ROOT, 'scripts/compose-env.mjs')], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
);

/** `${NAME}`, `${NAME:-default}`, `${NAME:?complaint}` and `$$`, as Compose fills them in. */
function filledIn(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(
    /\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}/g,
    (found, name: string | undefined, how, rest: string) => {
      if (name === undefined) return '$';
      const value = variables[name] ?? (how === '-' ? rest : undefined);
      if (value === undefined) throw new Error(`${found} has no value`);
      return value;
    },
  );
}

describe('docker-compose.yml', () => {
  it('asks for no variable that compose-env.mjs does not make and that has no default', () => {
    for (const [, text] of read('docker-compose.yml').matchAll(/(\$\{[^}]+\})/g)) {
      expect(() => filledIn(text ?? '', secrets)).not.toThrow();
    }
    expect(() => filledIn('${POSTGRES_PASSWORD:?say so}', {})).toThrow('POSTGRES_PASSWORD');
  });

  it('runs the worker with the options that the launcher gives it', () => {
    expect(compose.services['worker']?.command).toEqual(['node', ...nodeFlags('worker'), 'dist/apps/worker/main.js']);
  });

  it.each(ours)('gives %s settings that we know and accept', (_name, service) => {
    const given = Object.fromEntries(
      Object.entries(service.environment).map(([name, value]) => [name, filledIn(value, secrets)]),
    );
    const { APPLICATION, ...settings } = given;
    expect(Object.keys(settings).filter((name) => !(name in environment.shape))).toEqual([]);
    expect(readConfig(settings).DATABASE_URL).toContain('@postgres:5432/');
    const { CLIENT_ID: client_id, CLIENT_SECRET: client_secret } = secrets;
    if (APPLICATION) expect(JSON.parse(APPLICATION)).toEqual({ client_id, client_secret, name: 'Default' });
  });

  it('starts programs that the build makes, after services and on volumes that exist', () => {
    for (const [, { command = [], entrypoint = [], depends_on = {}, volumes = [] }] of Object.entries(
      compose.services,
    )) {
      const [program] = /dist\/(apps\/\w+\/main)\.js/.exec([...entrypoint, ...command].join(' '))?.slice(1) ?? [];
      if (program) expect(fs.existsSync(path.join(ROOT, `${program}.ts`))).toBe(true);
      for (const [name, { condition }] of Object.entries(depends_on)) {
        expect(compose.services).toHaveProperty(name);
        if (condition === 'service_healthy') expect(compose.services[name]).toHaveProperty('healthcheck');
      }
      for (const volume of volumes) expect(compose.volumes).toHaveProperty(volume.split(':')[0] ?? '');
    }
    expect(ours.map(([name]) => name)).toEqual(['setup', 'api', 'worker', 'cli']);
  });
});

describe('the Dockerfile', () => {
  const steps = read('Dockerfile').split('\n');
  const ignored = new Set(read('.dockerignore').trim().split('\n'));

  it('copies what is there and not kept out, and all that the build reads', () => {
    const sources = steps
      .filter((step) => /^COPY (?!--from)/.test(step))
      .flatMap((step) => step.split(' ').slice(1, -1));
    for (const source of sources) {
      expect(fs.existsSync(path.join(ROOT, source))).toBe(true);
      expect(ignored.has(source)).toBe(false);
    }
    expect(sources).toEqual(expect.arrayContaining(['.swcrc', 'scripts', 'apps', 'libs', 'migrations', '.npmrc']));
  });

  it('sets what we know, and runs a Node that we accept', () => {
    const [, settings = ''] = steps.find((step) => step.startsWith('ENV '))?.split(/^ENV /) ?? [];
    const names = settings.split(' ').map((pair) => pair.split('=')[0] ?? '');
    expect(names.filter((name) => name !== 'NODE_ENV' && !(name in environment.shape))).toEqual([]);
    const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
    for (const [, major] of read('Dockerfile').matchAll(/^FROM node:(\d+)-/gm))
      expect(engines.node).toContain(`>=${major}`);
  });
});
