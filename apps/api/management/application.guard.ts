import { type CanActivate, createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';

import { Unauthorized } from '#libs/common/errors.js';
import { type ApplicationRef, ApplicationsService } from '#libs/domain/applications/applications.service.js';

import { credentialOf } from '../http/auth/credential.js';

declare module 'express-serve-static-core' {
  interface Request {
    /** Set by ApplicationGuard below `/a/<client_id>`. */
    application?: ApplicationRef;
  }
}

/** Lets a request below `/a/<client_id>` through with that application's secret, by Basic or by Bearer. No token does. */
@Injectable()
export class ApplicationGuard implements CanActivate {
  constructor(private readonly applications: ApplicationsService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    const { clientId } = request.params;
    const secret = credentialOf(request.headers.authorization);
    const application =
      typeof clientId === 'string' && secret !== null ? await this.applications.verify(clientId, secret) : null;
    if (!application) throw new Unauthorized('Unknown client_id or wrong client_secret');
    request.application = application;
    return true;
  }
}

/** The application whose secret the request carries. */
export const CurrentApplication = createParamDecorator((_: unknown, context: ExecutionContext): ApplicationRef => {
  const { application } = context.switchToHttp().getRequest<Request>();
  if (!application) throw new Error('a route without the secret of an application asked for it');
  return application;
});
