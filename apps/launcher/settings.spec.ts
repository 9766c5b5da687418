import { ConfigError } from '#libs/config/config.js';

import { launchSettings } from './settings.js';

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
