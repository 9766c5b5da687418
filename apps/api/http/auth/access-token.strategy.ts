import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import { Strategy } from 'passport';

import { AccountAccess } from '#libs/domain/accounts/account-access.js';

import { credentialOf } from './credential.js';

type Done = (error: unknown, user?: object | false | null) => void;

export interface TokenOptions {
  /** The token may also come as `access_token` in the query (RFC 6750 2.3). */
  readonly tokenInQuery?: boolean;
}

/** Passport's half of account authentication: the token by Basic or by Bearer. */
class TokenStrategy extends Strategy {
  constructor(private readonly verify: (credential: string, done: Done) => void) {
    super();
  }

  override authenticate(request: Request, { tokenInQuery = false }: TokenOptions = {}): void {
    const inQuery = tokenInQuery ? request.query['access_token'] : undefined;
    const credential =
      credentialOf(request.headers.authorization) ?? (typeof inQuery === 'string' && inQuery !== '' ? inQuery : null);
    if (credential === null) return this.fail(401);
    this.verify(credential, (error, user) => {
      if (error) this.error(error);
      else if (user) this.success(user);
      else this.fail(401);
    });
  }
}

@Injectable()
export class AccessTokenStrategy extends PassportStrategy(TokenStrategy, 'access-token') {
  constructor(private readonly access: AccountAccess) {
    super();
  }

  async validate(credential: string): Promise<object | null> {
    return this.access.accountOf(credential);
  }
}
