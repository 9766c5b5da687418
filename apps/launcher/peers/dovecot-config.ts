/** What a private Dovecot needs to know to run from an unpacked tree, as root or as an ordinary user. */
export interface DovecotLayout {
  /** Root of the unpacked packages. */
  readonly prefix: string;
  readonly libraryPath: string;
  /** Sockets; must stay short, since a socket path has room for 108 characters. */
  readonly runDir: string;
  readonly dir: string;
  /** Where `users` and `mail` are: `dir`, unless Dovecot's user cannot go there. */
  readonly data: string;
  readonly imapPort: number;
  readonly lmtpPort: number;
  /** Started by root, who gives mail and servers to an unprivileged user. */
  readonly chroots: boolean;
  readonly user: string;
  readonly group: string;
  readonly uid: number;
  readonly gid: number;
  readonly tls: { readonly port: number; readonly certificate: string; readonly key: string } | null;
}

export interface DovecotSettings {
  /** The whole capability line after login, e.g. to hide QRESYNC or IDLE. What is not named is not announced. */
  readonly capabilities?: string;
  /** Adds STARTTLS and a listener with TLS from the start, both with a self-signed certificate for `localhost`. */
  readonly tls?: boolean;
  /** Personal namespace prefix and separator, e.g. `INBOX.` and `.`; default none and `/`. */
  readonly namespace?: { readonly prefix: string; readonly separator: string };
  /** Folders made at first login, by name; default Drafts, Sent, Junk, Trash, Archive. */
  readonly folders?: Readonly<Record<string, string | null>>;
  /** Lines appended to the configuration file as they are. */
  readonly extra?: string;
}

const defaultFolders: Readonly<Record<string, string | null>> = {
  Drafts: '\\Drafts',
  Sent: '\\Sent',
  Junk: '\\Junk',
  Trash: '\\Trash',
  Archive: '\\Archive',
};

/** Configuration for Dovecot 2.3. Its grammar wants one setting per line and a line end after each brace. */
export function dovecotConfig(at: DovecotLayout, settings: DovecotSettings): string {
  return [
    ...base(at),
    ...protocols(settings),
    ...tls(at),
    ...namespace(settings),
    ...users(at),
    ...services(at),
    settings.extra ?? '',
    '',
  ].join('\n');
}

function base(at: DovecotLayout): string[] {
  return [
    `base_dir = ${at.runDir}`,
    `state_dir = ${at.dir}/state`,
    `libexec_dir = ${at.prefix}/usr/lib/dovecot`,
    `mail_plugin_dir = ${at.prefix}/usr/lib/dovecot/modules`,
    `import_environment = $import_environment LD_LIBRARY_PATH=${at.libraryPath}`,
    `log_path = ${at.dir}/dovecot.log`,
    'listen = 127.0.0.1',
    `default_login_user = ${at.user}`,
    `default_internal_user = ${at.user}`,
    `default_internal_group = ${at.group}`,
    'disable_plaintext_auth = no',
    'auth_mechanisms = plain login',
    'auth_verbose = yes',
    'auth_failure_delay = 0',
    `mail_location = maildir:${at.data}/mail/%u`,
    `mail_uid = ${at.uid}`,
    `mail_gid = ${at.gid}`,
    `first_valid_uid = ${at.uid}`,
    `first_valid_gid = ${at.gid}`,
    'mail_plugins = $mail_plugins notify zlib',
    'mailbox_list_index = yes',
    'shutdown_clients = yes',
  ];
}

function protocols(settings: DovecotSettings): string[] {
  return [
    'protocols = imap lmtp',
    'protocol imap {',
    '  mail_plugins = $mail_plugins zlib imap_zlib',
    '  mail_max_userip_connections = 100',
    '}',
    ...(settings.capabilities ? [`imap_capability = ${settings.capabilities}`] : []),
  ];
}

function tls(at: DovecotLayout): string[] {
  if (!at.tls) return ['ssl = no'];
  return ['ssl = yes', `ssl_cert = <${at.tls.certificate}`, `ssl_key = <${at.tls.key}`];
}

function namespace(settings: DovecotSettings): string[] {
  const { prefix, separator } = settings.namespace ?? { prefix: '', separator: '/' };
  const folders = Object.entries(settings.folders ?? defaultFolders).flatMap(([name, use]) => [
    `  mailbox "${name}" {`,
    '    auto = subscribe',
    ...(use ? [`    special_use = ${use}`] : []),
    '  }',
  ]);
  return ['namespace inbox {', '  inbox = yes', `  prefix = ${prefix}`, `  separator = ${separator}`, ...folders, '}'];
}

function users(at: DovecotLayout): string[] {
  return [
    'passdb {',
    '  driver = passwd-file',
    `  args = username_format=%u ${at.data}/users/%u`,
    '}',
    'userdb {',
    '  driver = static',
    `  args = uid=${at.uid} gid=${at.gid} home=${at.data}/mail/%u`,
    '}',
  ];
}

function services(at: DovecotLayout): string[] {
  // An ordinary user may not chroot.
  const noChroot = at.chroots ? [] : ['  chroot ='];
  return [
    'service imap-login {',
    '  inet_listener imap {',
    '    address = 127.0.0.1',
    `    port = ${at.imapPort}`,
    '  }',
    '  inet_listener imaps {',
    `    port = ${at.tls?.port ?? 0}`,
    ...(at.tls ? ['    ssl = yes'] : []),
    '  }',
    '  process_min_avail = 1',
    '  service_count = 0',
    ...noChroot,
    '}',
    'service lmtp {',
    '  inet_listener lmtp {',
    '    address = 127.0.0.1',
    `    port = ${at.lmtpPort}`,
    '  }',
    '}',
    'service anvil {',
    // A wrong password would cost two to fifteen seconds.
    '  unix_listener anvil-auth-penalty {',
    '    mode = 0',
    '  }',
    ...noChroot,
    '}',
    'service stats {',
    ...noChroot,
    '}',
  ];
}
