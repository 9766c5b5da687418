import { type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { Request } from 'express';

import { InvalidRequest, NotFound, Unauthorized } from '#libs/common/errors.js';
import { isPublicId } from '#libs/common/ids.js';
import { AccountAccess } from '#libs/domain/accounts/account-access.js';
import type { AccountRef } from '#libs/domain/accounts/account-ref.js';

import { badId } from '../parameters.js';

import type { TokenOptions } from './access-token.strategy.js';
import { PUBLIC, TOKEN_IN_QUERY, WHILE_STOPPED } from './public.decorator.js';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Lets a request through when its token opens an account, and under `/n/<id>` only when it is that account. One that
 * changes something is refused while the account is stopped or its credentials are.
 */
@Injectable()
export class AccountGuard extends AuthGuard('access-token') {
  constructor(
    private readonly reflector: Reflector,
    private readonly access: AccountAccess,
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
    const { namespaceId } = request.params;
    if (typeof namespaceId === 'string') {
      if (!isPublicId(namespaceId)) throw new InvalidRequest(badId(namespaceId, 'namespace_id'));
      if (namespaceId.toLowerCase() !== request.user?.id) throw new NotFound('namespace', namespaceId);
    }
    const reads = READS.has(request.method) || this.reflector.get<boolean>(WHILE_STOPPED, context.getHandler());
    const refusal = reads || !request.user ? null : await this.access.refusalToWrite(request.user);
    if (refusal) throw refusal;
    return true;
  }

  override handleRequest<User = AccountRef>(error: unknown, user: User | false): User {
    if (error) throw error;
    if (!user) throw new Unauthorized();
    return user;
  }
}
