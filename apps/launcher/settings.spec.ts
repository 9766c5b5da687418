import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { ConfigError } from '#libs/config/config.js';

import { launchSettings, makeDataDir, workersOf } from './settings.js';

describe('launchSettings', () => {
  it('keeps data in var below the checkout, the demo apart from it', () => {
    expect(launchSettings('/srv/postrider', false, {})).toMatchObject({
      dataDir: '/srv/postrider/var',
      apiUrl: 'http://127.0.0.1:5555',
      environment: { DATA_DIR: '/srv/postrider/var' },
    });
    expect(launchSettings('/srv/postrider', true, {})).toMatchObject({
      dataDir: '/srv/postrider/var/demo',
      environment: { EGRESS_ALLOW_PRIVATE: 'true' },
    });
  });

  it('lets what is given win over what the demo would choose', () => {
    expect(launchSettings('/srv', true, { DATA_DIR: '/data', PORT: '80' })).toMatchObject({
      dataDir: '/data',
      apiUrl: 'http://127.0.0.1:80',
    });
  });

  it('takes an empty setting for one that is not given', () => {
    const { environment } = launchSettings('/srv', false, { DATABASE_URL: '', DATA_DIR: '' });
    expect(environment).toEqual({ DATA_DIR: '/srv/var' });
  });

  it('names what is wrong before anything is started', () => {
    expect(() => launchSettings('/srv', false, { PORT: 'http', LOG_LEVEL: 'loud' })).toThrow(ConfigError);
    expect(() => launchSettings('/srv', false, { PORT: 'http', LOG_LEVEL: 'loud' })).toThrow(/PORT: .*LOG_LEVEL: /);
  });
});

describe('workersOf', () => {
  it('is one, unless there is a number', () => {
    expect([[], ['--demo'], ['--workers', '3'], ['--demo', '--workers=12']].map(workersOf)).toEqual([1, 1, 3, 12]);
  });

  it.each(['0', '65', '2.5', '-1', 'many', ''])('refuses %p, in one line', (count) => {
    expect(() => workersOf(['--workers', count])).toThrow('--workers: expected a whole number from 1 to 64');
    expect(() => workersOf(['--workers'])).toThrow(/^--workers/);
  });
});

describe('makeDataDir', () => {
  let home: string;
  beforeEach(() => (home = fs.mkdtempSync(path.join(os.tmpdir(), 'settings-'))));
  afterEach(() => fs.rmSync(home, { recursive: true }));

  it('makes what is missing on the way, and takes what is there', () => {
    const dataDir = path.join(home, 'some', 'where');
    makeDataDir(dataDir);
    makeDataDir(dataDir);
    const modes = ['', 'blobs', 'logs'].map((name) => fs.statSync(path.join(dataDir, name)).mode & 0o777);
    expect(modes).toEqual([0o711, 0o700, 0o700]);
  });

  it.each(['file', 'file/below', 'file/far/below', 'dangling', 'taken'])('says that DATA_DIR cannot be %s', (name) => {
    fs.writeFileSync(path.join(home, 'file'), '');
    fs.symlinkSync('/nowhere/at/all', path.join(home, 'dangling'));
    fs.mkdirSync(path.join(home, 'taken'));
    fs.writeFileSync(path.join(home, 'taken', 'logs'), '');
    const dataDir = path.join(home, name);
    expect(() => makeDataDir(dataDir)).toThrow(`DATA_DIR: cannot write to ${dataDir}: `);
    expect(() => makeDataDir(dataDir)).toThrow(/^.+$/);
  });
});
