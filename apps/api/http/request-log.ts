import type { RequestHandler } from 'express';

import type { Logger } from '#libs/common/logger.js';

/**
 * One line a request, at level info. Paths hold ids only; of the query just the names of its parameters are kept, since
 * values are addresses and subjects.
 */
export function requestLog(logger: Logger): RequestHandler {
  return (request, response, next) => {
    if (!logger.isLevelEnabled('info')) return next();
    const began = performance.now();
    const path = request.path;
    response.once('close', () => {
      logger.info({
        requestId: response.getHeader('x-request-id'),
        accountId: request.user?.id,
        method: request.method,
        path,
        query: Object.keys(request.query),
        status: response.statusCode,
        ms: Math.round((performance.now() - began) * 10) / 10,
        aborted: response.writableFinished ? undefined : true,
      });
    });
    next();
  };
}
