import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { environment } from '#libs/config/config.js';

import { developmentApplication, ownSecretKeys } from './secrets.js';

describe('what the launcher keeps for the development application', () => {
  let dataDir: string;
  beforeEach(() => (dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'secrets-'))));
  afterEach(() => fs.rmSync(dataDir, { recursive: true }));

  it('is a key ring that the settings accept, the same at every start', () => {
    const keys = ownSecretKeys(dataDir);
    expect(environment.shape.SECRET_KEYS.parse(keys)).toMatchObject([{ id: 'k1' }]);
    expect(ownSecretKeys(dataDir)).toBe(keys);
    expect(fs.statSync(path.join(dataDir, 'secret-keys')).mode & 0o777).toBe(0o600);
  });

  it('is an id and a secret that survive a change of port', () => {
    const first = developmentApplication(dataDir, 'http://127.0.0.1:5555');
    const second = developmentApplication(dataDir, 'http://127.0.0.1:5556');
    expect(second).toEqual({ ...first, api_url: 'http://127.0.0.1:5556' });
    expect(first.client_id).toMatch(/^[0-9a-z]{25}$/);
    expect(first.client_secret).toMatch(/^[0-9a-z]{25}$/);
  });

  it('keeps what others wrote into the file', () => {
    developmentApplication(dataDir, 'http://a');
    const file = path.join(dataDir, 'development.json');
    fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file, 'utf8')), admin: { name: 'x' } }));
    expect(developmentApplication(dataDir, 'http://b')).toMatchObject({ admin: { name: 'x' }, api_url: 'http://b' });
  });

  it('is not replaced silently when the file is damaged', () => {
    fs.writeFileSync(path.join(dataDir, 'development.json'), '{"client_id"');
    expect(() => developmentApplication(dataDir, 'http://a')).toThrow(/development\.json is damaged/);
  });
});
