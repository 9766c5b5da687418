import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import { Strategy } from 'passport';

import { AccountAccess } from '#libs/domain/accounts/account-access.js';

import { credentialOf } from './credential.js';

type Done = (error: unknown, user?: object | false | null) => void;

/** Passport's half of account authentication: the token by Basic or by Bearer. */
class TokenStrategy extends Strategy {
  constructor(private readonly verify: (credential: string, done: Done) => void) {
    super();
  }

  override authenticate(request: Request): void {
    const credential = credentialOf(request.headers.authorization);
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
