import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { describeProcess, runtimeEnvironment, writeRuntime } from './runtime.js';

const environment = { DATABASE_URL: 'postgres://here/db', REDIS_URL: 'redis://here', SECRET_KEYS: 'k1:key' };

describe('runtimeEnvironment', () => {
  let dataDir: string;
  beforeEach(() => (dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'runtime-'))));
  afterEach(() => fs.rmSync(dataDir, { recursive: true }));

  it('finds the servers of what runs, and lets explicit settings win', () => {
    writeRuntime(dataDir, { launcher: describeProcess('launcher', process.pid), children: [], environment });
    expect(runtimeEnvironment(dataDir, { REDIS_URL: 'redis://there' })).toEqual({
      DATA_DIR: dataDir,
      DATABASE_URL: 'postgres://here/db',
      SECRET_KEYS: 'k1:key',
    });
    expect(fs.statSync(path.join(dataDir, 'runtime.json')).mode & 0o777).toBe(0o600);
  });

  it('does not believe a file whose launcher is gone', () => {
    const launcher = { name: 'launcher', pid: process.pid, identity: 'before the reboot' };
    writeRuntime(dataDir, { launcher, children: [], environment });
    expect(runtimeEnvironment(dataDir, {})).toBeNull();
  });

  it('needs nothing running when every server is named', () => {
    expect(runtimeEnvironment(dataDir, {})).toBeNull();
    expect(runtimeEnvironment(dataDir, environment)).toEqual({ DATA_DIR: dataDir });
  });

  describe('of somebody else', () => {
    const root = process.getuid?.() === 0;
    /** Root may read everything, so it has to be nobody for a while. */
    const asStranger = (work: () => void) => {
      if (root) process.seteuid!(65_534);
      try {
        work();
      } finally {
        if (root) process.seteuid!(0);
      }
    };
    const owner = os.userInfo().username;

    beforeEach(() => {
      writeRuntime(dataDir, { launcher: describeProcess('launcher', process.pid), children: [], environment });
      if (!root) fs.chmodSync(path.join(dataDir, 'runtime.json'), 0);
    });

    it.each([0o711, 0o700])('is not taken for one that does not run (folder %o)', (mode) => {
      fs.chmodSync(dataDir, mode);
      const sentence = `${path.join(dataDir, 'runtime.json')} cannot be read by this user. Run the command as ${owner}.`;
      asStranger(() => expect(() => runtimeEnvironment(dataDir, {})).toThrow(sentence));
    });

    it('is not needed when every server is named', () => {
      asStranger(() => expect(runtimeEnvironment(dataDir, environment)).toEqual({ DATA_DIR: dataDir }));
    });
  });
});
