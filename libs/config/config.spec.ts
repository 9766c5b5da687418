import { ConfigError, readConfig } from './config.js';

const GIVEN = {
  DATABASE_URL: 'postgres://a:b@localhost/c',
  REDIS_URL: 'redis://localhost',
  SECRET_KEYS: `k1:${Buffer.alloc(32).toString('base64')}`,
};

/** What is said about these settings; '' when nothing is. */
function complaint(settings: Readonly<Record<string, string | undefined>>): string {
  try {
    readConfig({ ...GIVEN, ...settings });
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

describe('readConfig', () => {
  it('reads what is given and fills up the rest', () => {
    expect(readConfig({ ...GIVEN, PORT: '80', EGRESS_ALLOW_PRIVATE: 'yes', DATA_DIR: '/data' })).toMatchObject({
      PORT: 80,
      HOST: '127.0.0.1',
      EGRESS_ALLOW_PRIVATE: true,
      AUTODETECT_ONLINE: true,
      DEV_ACCOUNT_ID_AUTH: false,
      blobDir: '/data/blobs',
    });
  });

  it('takes an empty setting for one that is not given', () => {
    expect(readConfig({ ...GIVEN, PORT: '', LOG_LEVEL: '' })).toMatchObject({ PORT: 5555, LOG_LEVEL: 'info' });
  });

  it.each<[Readonly<Record<string, string | undefined>>, string]>([
    ...['x', '0', '65536', '1e3', '0x10', '-1', '5 5'].map((PORT): [{ PORT: string }, string] => [
      { PORT },
      'PORT: expected a whole number from 1 to 65535',
    ]),
    [{ DATABASE_URL: 'mysql://a' }, 'DATABASE_URL: expected postgres://user:password@host:port/database'],
    [{ DATABASE_URL: undefined }, 'DATABASE_URL: is not set, expected postgres://user:password@host:port/database'],
    [{ REDIS_URL: 'here' }, 'REDIS_URL: expected redis://[:password@]host:port'],
    [{ SECRET_KEYS: undefined }, 'SECRET_KEYS: is not set, expected <id>:<32 bytes in base64>[,…]'],
    [{ SECRET_KEYS: 'a:b,c:d' }, 'SECRET_KEYS: expected <id>:<32 bytes in base64>[,…]'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL: expected trace, debug, info, warn, error or silent'],
    [{ AUTODETECT_ONLINE: 'on' }, 'AUTODETECT_ONLINE: expected true, false, 1, 0, yes or no'],
    [
      { PORT: 'x', LOG_LEVEL: 'loud' },
      'PORT: expected a whole number from 1 to 65535; LOG_LEVEL: expected trace, debug, info, warn, error or silent',
    ],
  ])('says about %j: %s', (settings, message) => {
    expect(complaint(settings)).toBe(`Wrong setting: ${message}`);
  });

  it('does not repeat a secret that was mistyped', () => {
    expect(complaint({ SECRET_KEYS: 'k1:c2VjcmV0', DATABASE_URL: 'x://hunter2@y' })).not.toMatch(/c2VjcmV0|hunter2/);
  });
});
