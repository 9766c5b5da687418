import { BadRequestException, NotFoundException } from '@nestjs/common';

import { Conflict, DomainError, InvalidRequest } from '#libs/common/errors.js';

import { isDatabaseOutage } from '#libs/database/outage.js';

import { errorAnswer } from './error-body.js';

const coded = (message: string, fields: object): Error => Object.assign(new Error(message), fields);

describe('errorAnswer', () => {
  it('shows a domain error as it is, with its details', () => {
    expect(errorAnswer(new InvalidRequest('Invalid id: !', { missing_fields: ['id'] }))).toEqual({
      status: 400,
      body: { type: 'invalid_request_error', message: 'Invalid id: !', missing_fields: ['id'] },
    });
    expect(errorAnswer(new Conflict('taken')).status).toBe(409);
  });

  it('never lets a detail replace type or message', () => {
    const error = new DomainError(402, 'api_error', 'refused', { type: 'x', message: 'y' });
    expect(errorAnswer(error).body).toEqual({ type: 'api_error', message: 'refused' });
  });

  it('hides what an unexpected error says', () => {
    const shown = errorAnswer(new Error('column threads.secret does not exist'));
    expect(shown.status).toBe(500);
    expect(shown.body.type).toBe('api_error');
    expect(shown.body.message).not.toContain('secret');
    expect(errorAnswer('thrown text').status).toBe(500);
  });

  it.each([
    [coded('x', { type: 'entity.too.large', status: 413 }), 413],
    [coded('x', { type: 'charset.unsupported', status: 415 }), 415],
    [new BadRequestException(), 400],
    [new NotFoundException('Cannot GET /x'), 404],
  ])('tells the client that the request is at fault: %s', (error, status) => {
    expect(errorAnswer(error)).toMatchObject({ status, body: { type: 'invalid_request_error' } });
  });

  it.each([coded('canceling statement due to statement timeout', { code: '57014' }), new Error('Query read timeout')])(
    'knows a database that takes too long: %s',
    (error) => {
      expect(errorAnswer(error)).toMatchObject({ status: 503, body: { type: 'database_error' } });
    },
  );

  it.each([
    [coded('connect ECONNREFUSED', { code: 'ECONNREFUSED' }), true],
    [new AggregateError([coded('x', { code: 'ECONNREFUSED' })]), true],
    [coded('terminating connection', { code: '57P01' }), true],
    [new Error('Connection terminated unexpectedly'), true],
    [coded('duplicate key', { code: '23505' }), false],
  ])('knows an outage of the database: %s', (error, outage) => {
    expect(isDatabaseOutage(error)).toBe(outage);
    expect(errorAnswer(error).status).toBe(outage ? 503 : 500);
  });
});
