import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import { DomainError } from '#libs/common/errors.js';

import { Public } from '../http/auth/public.decorator.js';

import { Readiness } from './readiness.js';

const Live = z.object({ status: z.literal('ok') }).meta({ id: 'Live' });
const Ready = z
  .object({ status: z.literal('ok'), database: z.literal('ok'), redis: z.literal('ok') })
  .meta({ id: 'Ready' });

@Public()
@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('live')
  @ApiOperation({ operationId: 'isLive', summary: 'The process answers' })
  @ApiOkResponse({ standardSchema: Live })
  live(): z.infer<typeof Live> {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({ operationId: 'isReady', summary: 'Database and Redis answer; 503 says which does not' })
  @ApiOkResponse({ standardSchema: Ready })
  async ready(): Promise<z.infer<typeof Ready>> {
    const { database, redis } = await this.readiness.check();
    if (database && redis) return { status: 'ok', database: 'ok', redis: 'ok' };
    const state = (answers: boolean) => (answers ? 'ok' : 'unreachable');
    const type = database ? 'api_error' : 'database_error';
    throw new DomainError(503, type, 'Not ready', { database: state(database), redis: state(redis) });
  }
}
