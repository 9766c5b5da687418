import { InvalidRequest } from '#libs/common/errors.js';

import { formBody } from './body-parsing.js';

describe('formBody', () => {
  it('reads a form', () => {
    expect(formBody('client_id=abc&code=x%20y')).toEqual({ client_id: 'abc', code: 'x y' });
  });

  it('reads JSON that was sent as a form', () => {
    expect(formBody(' {"unread": false}')).toEqual({ unread: false });
  });

  it('refuses what begins like JSON and is not', () => {
    expect(() => formBody('{"unread": ')).toThrow(InvalidRequest);
  });

  it('is empty for an empty body', () => {
    expect(formBody('')).toEqual({});
  });
});
