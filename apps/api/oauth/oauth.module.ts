import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/domain/accounts/accounts.module.js';
import { ApplicationsModule } from '#libs/domain/applications/applications.module.js';
import { DetectModule } from '#libs/providers/detect/detect.module.js';

import { CodeExchange } from './code-exchange.service.js';
import { ConnectController } from './connect.controller.js';
import { ConnectLimits } from './connect-limits.js';
import { NativeAuth } from './native-auth.service.js';

@Module({
  imports: [AccountsModule, ApplicationsModule, DetectModule],
  controllers: [ConnectController],
  providers: [ConnectLimits, NativeAuth, CodeExchange],
})
export class OauthModule {}
