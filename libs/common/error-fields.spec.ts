import { errorFields } from './error-fields.js';

describe('errorFields', () => {
  it('tells what happened, and why', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    expect(errorFields(new TypeError('no answer', { cause }))).toMatchObject({
      type: 'TypeError',
      message: 'no answer',
      stack: expect.stringContaining('error-fields.spec'),
      cause: { type: 'Error', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' },
    });
  });

  it('leaves out what drivers hang on their errors', () => {
    const redis = { command: { name: 'auth', args: ['secret'] } };
    const database = { detail: 'Failing row contains (secret).', where: 'secret' };
    const error = Object.assign(new Error('refused', { cause: Object.assign(new Error('x'), database) }), redis);
    expect(JSON.stringify(errorFields(error))).not.toContain('secret');
  });

  it('ends with what is caused by itself', () => {
    const error = new Error('a circle');
    error.cause = error;
    expect(() => JSON.stringify(errorFields(error))).not.toThrow();
  });

  it('takes whatever was thrown', () => {
    expect(errorFields('text')).toEqual({ type: 'string', message: 'text' });
    expect(errorFields(undefined).message).toBe('undefined');
  });
});
