import { Body, Controller, Get, HttpCode, Post, Put, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import { ApplicationView, toApplicationView } from '#libs/domain/applications/application.view.js';
import {
  type ApplicationRef,
  ApplicationsService,
  GRACE_SECONDS,
  MOST_GRACE_SECONDS,
} from '#libs/domain/applications/applications.service.js';

import { Public } from '../http/auth/public.decorator.js';
import { BodyOf } from '../http/body-docs.js';

import { ApplicationBody, applicationChange } from './application-body.js';
import { ApplicationGuard, CurrentApplication } from './application.guard.js';
import { OutgoingAddresses, OutgoingAddressesView } from './outgoing-addresses.js';

const RotationBody = z.object({
  grace_seconds: z
    .int('"grace_seconds" must be a whole number')
    .min(0, '"grace_seconds" must not be negative')
    .max(MOST_GRACE_SECONDS, `"grace_seconds" may be at most ${MOST_GRACE_SECONDS}`)
    .default(GRACE_SECONDS)
    .describe('How long the present secret is taken beside the new one'),
});
type RotationBody = z.infer<typeof RotationBody>;

const NewSecretView = z.object({ client_id: z.string(), client_secret: z.string() }).meta({ id: 'NewSecret' });
type NewSecretView = z.infer<typeof NewSecretView>;

@ApiTags('applications')
@Public()
@UseGuards(ApplicationGuard)
@Controller('a/:clientId')
export class ApplicationsController {
  constructor(
    private readonly applications: ApplicationsService,
    private readonly addresses: OutgoingAddresses,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'getApplication', summary: 'What is set up for the application' })
  @ApiOkResponse({ standardSchema: ApplicationView })
  async get(@CurrentApplication() { id }: ApplicationRef): Promise<ApplicationView> {
    return toApplicationView(await this.applications.get(id));
  }

  @Put()
  @ApiOperation({ operationId: 'changeApplication', summary: 'Change what is named' })
  @BodyOf(ApplicationBody)
  @ApiOkResponse({ standardSchema: ApplicationView })
  async change(
    @CurrentApplication() { id }: ApplicationRef,
    @Body({ schema: ApplicationBody }) body: ApplicationBody,
  ): Promise<ApplicationView> {
    return toApplicationView(await this.applications.change(id, applicationChange(body)));
  }

  @Post('rotate-secret')
  @HttpCode(200)
  @ApiOperation({ operationId: 'rotateSecret', summary: 'Get another client secret, shown this once' })
  @BodyOf(RotationBody, { required: false })
  @ApiOkResponse({ standardSchema: NewSecretView })
  async rotate(
    @CurrentApplication() { id, clientId }: ApplicationRef,
    @Body({ schema: RotationBody }) { grace_seconds: grace }: RotationBody,
  ): Promise<NewSecretView> {
    return { client_id: clientId, client_secret: await this.applications.rotateSecret(id, grace) };
  }

  @Get('ip_addresses')
  @ApiOperation({ operationId: 'listIpAddresses', summary: 'Where this installation connects from' })
  @ApiOkResponse({ standardSchema: OutgoingAddressesView })
  ipAddresses(): OutgoingAddressesView {
    return this.addresses.list();
  }
}
