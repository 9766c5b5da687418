import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

import type { SignedIn } from '#libs/domain/accounts/account-access.js';
import type { AccountRef, Dialect } from '#libs/domain/accounts/account-ref.js';

import { scopesMissing } from './scopes.js';

declare module 'express-serve-static-core' {
  interface Request {
    /** Set by AccountGuard on every route that is not `@Public()`. */
    user?: SignedIn;
  }
}

/** The account whose token the request carries. */
export const CurrentAccount = createParamDecorator((_: unknown, context: ExecutionContext): AccountRef => {
  const { user } = context.switchToHttp().getRequest<Request>();
  if (!user) throw new Error('a route without authentication asked for its account');
  return scopesMissing(user.scopes, 'mail', true) ? { ...user, uploadsOnly: true } : user;
});

/** Which spelling of the API the request came by. */
export const CurrentDialect = createParamDecorator((_: unknown, context: ExecutionContext): Dialect =>
  context.switchToHttp().getRequest<Request>().params['namespaceId'] === undefined ? 'v2' : 'v1',
);
