import { type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { Request, Response } from 'express';

import { DomainError, InvalidRequest, NotFound, Unauthorized } from '#libs/common/errors.js';
import { isPublicId } from '#libs/common/ids.js';
import { AccountAccess, type SignedIn } from '#libs/domain/accounts/account-access.js';

import { badId } from '../parameters.js';

import type { TokenOptions } from './access-token.strategy.js';
import { PUBLIC, TOKEN_IN_QUERY, WHILE_STOPPED } from './public.decorator.js';
import { RateLimits } from './rate-limits.js';
import { scopesMissing, SUBJECT, type Subject } from './scopes.js';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Lets a request through when its token opens an account and is good for the route, and under `/n/<id>` only when it is
 * that account. One that changes something is refused while the account is stopped or its credentials are.
 */
@Injectable()
export class AccountGuard extends AuthGuard('access-token') {
  constructor(
    private readonly reflector: Reflector,
    private readonly access: AccountAccess,
    private readonly limits: RateLimits,
  ) {
    super();
  }

  override getAuthenticateOptions(context: ExecutionContext): TokenOptions & { readonly session: false } {
    return {
      session: false,
      tokenInQuery: this.reflector.get<boolean | undefined>(TOKEN_IN_QUERY, context.getHandler()) === true,
    };
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    if (this.reflector.getAllAndOverride<boolean>(PUBLIC, [context.getHandler(), context.getClass()])) return true;
    await super.canActivate(context);
    const request = context.switchToHttp().getRequest<Request>();
    const { user, method } = request;
    if (!user) throw new Unauthorized();
    await this.limit(context, user);
    const { namespaceId } = request.params;
    if (typeof namespaceId === 'string') {
      if (!isPublicId(namespaceId)) throw new InvalidRequest(badId(namespaceId, 'namespace_id'));
      if (namespaceId.toLowerCase() !== user.id) throw new NotFound('namespace', namespaceId);
    }
    const reads = READS.has(method) || this.reflector.get<boolean>(WHILE_STOPPED, context.getHandler()) === true;
    this.checkScopes(context, user, reads);
    const refusal = reads ? null : await this.access.refusalToWrite(user);
    if (refusal) throw refusal;
    return true;
  }

  override handleRequest<User = SignedIn>(error: unknown, user: User | false): User {
    if (error) throw error;
    if (!user) throw new Unauthorized();
    return user;
  }

  private async limit(context: ExecutionContext, user: SignedIn): Promise<void> {
    const allowance = await this.limits.take(user);
    if (!allowance) return;
    const response = context.switchToHttp().getResponse<Response>();
    response.setHeader('X-RateLimit-Limit', allowance.limit);
    response.setHeader('X-RateLimit-Remaining', allowance.remaining);
  }

  private checkScopes(context: ExecutionContext, { scopes }: SignedIn, reads: boolean): void {
    const targets = [context.getHandler(), context.getClass()];
    const subject = this.reflector.getAllAndOverride<Subject | undefined>(SUBJECT, targets);
    const missing = scopesMissing(scopes, subject, reads);
    if (!missing) return;
    const wanted = missing.join(', ');
    throw new DomainError(403, 'invalid_request_error', `This access token may not do this: it needs one of ${wanted}`);
  }
}
