import type { TransportSecurity } from '#libs/providers/contracts/connection-settings.js';

interface KnownServer {
  readonly host: string;
  readonly port: number;
  readonly security: TransportSecurity;
  /** What signs in: the whole address, or what stands before the @. */
  readonly username: 'address' | 'local-part';
}

export interface KnownProvider {
  /** As `provider` on the wire. */
  readonly id: string;
  readonly name: string;
  readonly domains: readonly string[];
  /** Ends of MX host names that give away domains hosted there. */
  readonly mx: readonly string[];
  readonly imap: KnownServer;
  readonly smtp: KnownServer;
  /** What the password is: the account's own, one made for mail programs, or none at all (OAuth only). */
  readonly signIn: 'password' | 'app-password' | 'oauth';
  /** What to look at when signing in fails. */
  readonly hint: string | null;
}

const server = (
  host: string,
  port: number,
  username: KnownServer['username'] = 'address',
  security: TransportSecurity = port === 993 || port === 465 ? 'tls' : 'starttls',
): KnownServer => ({ host, port, security, username });

const words = (text: string): string[] => text.split(' ').filter(Boolean);

interface Row {
  readonly domains: string;
  readonly mx?: string;
  readonly imap: string | KnownServer;
  readonly smtp: string | KnownServer;
  readonly signIn?: KnownProvider['signIn'];
  readonly hint?: string;
}

const row = (id: string, name: string, { domains, mx = '', imap, smtp, signIn = 'password', hint }: Row) => ({
  id,
  name,
  domains: words(domains),
  mx: words(mx),
  imap: typeof imap === 'string' ? server(imap, 993) : imap,
  smtp: typeof smtp === 'string' ? server(smtp, 465) : smtp,
  signIn,
  hint: hint ?? null,
});

const APP_PASSWORD = 'Make an app password in the account’s security settings and use it here.';
const SWITCH_ON = 'Allow access by IMAP in the web mail’s settings first.';
const AUTHORISATION_CODE =
  'Switch IMAP on in the web mail’s settings and use the authorisation code it shows as password.';
const MICROSOFT = 'Microsoft accounts sign in with OAuth only.';

/** Facts about mail providers, from their public help pages. First match wins. */
export const knownProviders: readonly KnownProvider[] = [
  row('gmail', 'Gmail', {
    domains: 'gmail.com googlemail.com',
    mx: '.google.com .googlemail.com',
    imap: 'imap.gmail.com',
    smtp: 'smtp.gmail.com',
    signIn: 'app-password',
    hint: 'Switch two-step verification on, then make an app password and use it here.',
  }),
  row('outlook', 'Outlook.com', {
    domains:
      'outlook.com hotmail.com live.com msn.com passport.com outlook.de outlook.fr outlook.es outlook.it outlook.jp outlook.co.id outlook.com.br hotmail.co.uk hotmail.de hotmail.fr hotmail.it hotmail.es live.co.uk live.de live.fr live.it live.nl live.com.mx windowslive.com',
    mx: '.olc.protection.outlook.com',
    imap: 'outlook.office365.com',
    smtp: server('smtp-mail.outlook.com', 587),
    signIn: 'oauth',
    hint: MICROSOFT,
  }),
  row('office365', 'Microsoft 365', {
    domains: '',
    mx: '.protection.outlook.com .mx.microsoft',
    imap: 'outlook.office365.com',
    smtp: server('smtp.office365.com', 587),
    signIn: 'oauth',
    hint: MICROSOFT,
  }),
  row('yahoo', 'Yahoo', {
    domains:
      'yahoo.com ymail.com rocketmail.com myyahoo.com yahoo.de yahoo.fr yahoo.it yahoo.es yahoo.co.uk yahoo.co.in yahoo.in yahoo.ca yahoo.com.au yahoo.com.br yahoo.com.mx yahoo.com.ar yahoo.com.sg yahoo.co.id yahoo.gr yahoo.ie yahoo.se yahoo.no yahoo.pl yahoo.ro',
    mx: '.yahoodns.net',
    imap: 'imap.mail.yahoo.com',
    smtp: 'smtp.mail.yahoo.com',
    signIn: 'app-password',
    hint: APP_PASSWORD,
  }),
  row('aol', 'AOL', {
    domains: 'aol.com aim.com love.com ygm.com games.com wow.com aol.de aol.fr aol.co.uk verizon.net',
    imap: 'imap.aol.com',
    smtp: 'smtp.aol.com',
    signIn: 'app-password',
    hint: APP_PASSWORD,
  }),
  row('icloud', 'iCloud', {
    domains: 'icloud.com me.com mac.com',
    mx: '.mail.icloud.com',
    imap: server('imap.mail.me.com', 993, 'local-part'),
    smtp: server('smtp.mail.me.com', 587),
    signIn: 'app-password',
    hint: APP_PASSWORD,
  }),
  row('fastmail', 'Fastmail', {
    domains: 'fastmail.com fastmail.fm fastmail.net fastmail.org fastmail.us fastmail.co.uk fastmail.de sent.com',
    mx: '.messagingengine.com',
    imap: 'imap.fastmail.com',
    smtp: 'smtp.fastmail.com',
    signIn: 'app-password',
    hint: APP_PASSWORD,
  }),
  row('zoho', 'Zoho', {
    domains: 'zoho.com zohomail.com',
    mx: '.zoho.com .zohomail.com',
    imap: 'imap.zoho.com',
    smtp: 'smtp.zoho.com',
    hint: SWITCH_ON,
  }),
  row('zoho', 'Zoho EU', {
    domains: 'zoho.eu zohomail.eu',
    mx: '.zoho.eu',
    imap: 'imap.zoho.eu',
    smtp: 'smtp.zoho.eu',
    hint: SWITCH_ON,
  }),
  row('zoho', 'Zoho India', {
    domains: 'zohomail.in',
    mx: '.zoho.in',
    imap: 'imap.zoho.in',
    smtp: 'smtp.zoho.in',
    hint: SWITCH_ON,
  }),
  row('gmx', 'GMX', {
    domains: 'gmx.net gmx.de gmx.at gmx.ch gmx.eu gmx.org gmx.info',
    mx: '.gmx.net',
    imap: 'imap.gmx.net',
    smtp: 'mail.gmx.net',
    hint: SWITCH_ON,
  }),
  row('gmx', 'GMX.com', {
    domains: 'gmx.com gmx.us gmx.co.uk gmx.fr gmx.es mail.com email.com usa.com',
    imap: 'imap.gmx.com',
    smtp: 'mail.gmx.com',
    hint: SWITCH_ON,
  }),
  row('webde', 'WEB.DE', {
    domains: 'web.de email.de',
    mx: '.web.de',
    imap: server('imap.web.de', 993, 'local-part'),
    smtp: server('smtp.web.de', 587, 'local-part'),
    hint: SWITCH_ON,
  }),
  row('mailru', 'Mail.ru', {
    domains: 'mail.ru inbox.ru list.ru bk.ru internet.ru',
    mx: '.mail.ru',
    imap: 'imap.mail.ru',
    smtp: 'smtp.mail.ru',
    signIn: 'app-password',
    hint: APP_PASSWORD,
  }),
  row('yandex', 'Yandex', {
    domains: 'yandex.com yandex.ru yandex.by yandex.kz yandex.ua ya.ru',
    mx: '.yandex.net .yandex.ru',
    imap: 'imap.yandex.com',
    smtp: 'smtp.yandex.com',
    signIn: 'app-password',
    hint: `${SWITCH_ON} ${APP_PASSWORD}`,
  }),
  row('qq', 'QQ Mail', {
    domains: 'qq.com foxmail.com vip.qq.com',
    mx: 'mx1.qq.com mx2.qq.com mx3.qq.com',
    imap: 'imap.qq.com',
    smtp: 'smtp.qq.com',
    signIn: 'app-password',
    hint: AUTHORISATION_CODE,
  }),
  row('exmail', 'Tencent Exmail', {
    domains: '',
    mx: '.mxbiz1.qq.com .mxbiz2.qq.com mxbiz1.qq.com mxbiz2.qq.com',
    imap: 'imap.exmail.qq.com',
    smtp: 'smtp.exmail.qq.com',
  }),
  ...['163.com', '126.com', 'yeah.net'].map((domain) =>
    row('netease', `NetEase ${domain}`, {
      domains: domain,
      imap: `imap.${domain}`,
      smtp: `smtp.${domain}`,
      signIn: 'app-password',
      hint: AUTHORISATION_CODE,
    }),
  ),
  row('tonline', 'T-Online', {
    domains: 't-online.de magenta.de',
    mx: '.t-online.de',
    imap: 'secureimap.t-online.de',
    smtp: 'securesmtp.t-online.de',
    hint: 'Use the separate e-mail password from the customer centre.',
  }),
  row('ionos', 'IONOS', {
    domains: '',
    mx: '.kundenserver.de .ionos.de',
    imap: 'imap.ionos.de',
    smtp: 'smtp.ionos.de',
  }),
  row('ionos', 'IONOS', { domains: '', mx: '.1and1.com .ionos.com', imap: 'imap.ionos.com', smtp: 'smtp.ionos.com' }),
  row('freenet', 'freenet', { domains: 'freenet.de', mx: '.freenet.de', imap: 'mx.freenet.de', smtp: 'mx.freenet.de' }),
  row('mailbox', 'mailbox.org', {
    domains: 'mailbox.org',
    mx: '.mailbox.org',
    imap: 'imap.mailbox.org',
    smtp: 'smtp.mailbox.org',
  }),
  row('posteo', 'Posteo', {
    domains: 'posteo.de posteo.net posteo.eu posteo.org',
    imap: 'posteo.de',
    smtp: 'posteo.de',
  }),
  row('orange', 'Orange', {
    domains: 'orange.fr wanadoo.fr',
    imap: 'imap.orange.fr',
    smtp: 'smtp.orange.fr',
    hint: SWITCH_ON,
  }),
  row('free', 'Free', { domains: 'free.fr', imap: 'imap.free.fr', smtp: 'smtp.free.fr' }),
  row('laposte', 'La Poste', { domains: 'laposte.net', imap: 'imap.laposte.net', smtp: 'smtp.laposte.net' }),
  row('ovh', 'OVH', { domains: '', mx: '.mail.ovh.net', imap: 'ssl0.ovh.net', smtp: 'ssl0.ovh.net' }),
  row('gandi', 'Gandi', { domains: '', mx: '.mail.gandi.net', imap: 'mail.gandi.net', smtp: 'mail.gandi.net' }),
  row('infomaniak', 'Infomaniak', {
    domains: 'ik.me',
    mx: '.infomaniak.ch',
    imap: 'mail.infomaniak.com',
    smtp: 'mail.infomaniak.com',
  }),
  row('libero', 'Libero', {
    domains: 'libero.it',
    imap: 'imapmail.libero.it',
    smtp: 'smtp.libero.it',
    hint: SWITCH_ON,
  }),
  row('wp', 'WP', { domains: 'wp.pl', imap: 'imap.wp.pl', smtp: 'smtp.wp.pl', hint: SWITCH_ON }),
  row('onet', 'Onet', {
    domains: 'onet.pl op.pl',
    imap: 'imap.poczta.onet.pl',
    smtp: 'smtp.poczta.onet.pl',
    hint: SWITCH_ON,
  }),
  row('seznam', 'Seznam', {
    domains: 'seznam.cz email.cz post.cz',
    mx: '.seznam.cz',
    imap: 'imap.seznam.cz',
    smtp: 'smtp.seznam.cz',
  }),
  row('bluewin', 'Bluewin', { domains: 'bluewin.ch', imap: 'imaps.bluewin.ch', smtp: 'smtpauths.bluewin.ch' }),
  row('comcast', 'Comcast', {
    domains: 'comcast.net',
    imap: 'imap.comcast.net',
    smtp: server('smtp.comcast.net', 587),
    hint: SWITCH_ON,
  }),
  row('rackspace', 'Rackspace', {
    domains: '',
    mx: '.emailsrvr.com',
    imap: 'secure.emailsrvr.com',
    smtp: 'secure.emailsrvr.com',
  }),
  row('migadu', 'Migadu', { domains: '', mx: '.migadu.com', imap: 'imap.migadu.com', smtp: 'smtp.migadu.com' }),
  row('runbox', 'Runbox', {
    domains: 'runbox.com',
    mx: '.runbox.com',
    imap: 'mail.runbox.com',
    smtp: 'mail.runbox.com',
  }),
  row('naver', 'Naver', { domains: 'naver.com', imap: 'imap.naver.com', smtp: 'smtp.naver.com', hint: SWITCH_ON }),
];
