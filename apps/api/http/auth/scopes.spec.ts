import { scopesMissing } from './scopes.js';

describe('scopesMissing', () => {
  it.each([
    ['mail', [], false],
    ['mail', ['email'], false],
    ['mail', ['email.read_only'], true],
    ['mail', ['calendar', 'email.modify'], false],
    ['threads', ['email.metadata'], true],
    ['folders', ['email.folders_and_labels'], false],
    ['drafts', ['email.drafts'], false],
    ['sending', ['email.send'], false],
    ['account', ['contacts.read_only'], true],
    [undefined, [], false],
  ] as const)('%s opens for %j (only to read: %s)', (subject, held, reads) => {
    expect(scopesMissing(held, subject, reads)).toBeNull();
  });

  it.each([
    ['mail', ['email.read_only'], false],
    ['mail', ['email.metadata'], true],
    ['mail', ['email.send'], true],
    ['mail', ['unheard-of'], true],
    ['sending', ['email.modify'], false],
    ['drafts', ['email.send'], false],
    ['folders', ['email.metadata'], false],
    [undefined, ['email'], true],
  ] as const)('%s stays shut for %j (only to read: %s)', (subject, held, reads) => {
    expect(scopesMissing(held, subject, reads)).not.toBeNull();
  });
});
