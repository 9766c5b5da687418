import { SMTPServer } from 'smtp-server';

/** An SMTP server that takes everything and keeps nothing. Listens on PORT. */
const server = new SMTPServer({
  disabledCommands: ['STARTTLS'],
  allowInsecureAuth: true,
  authMethods: ['PLAIN', 'LOGIN'],
  size: 60_000_000,
  maxClients: 1000,
  logger: false,
  onAuth: (auth, _session, done) => done(null, { user: auth.username }),
  onData: (stream, _session, done) => {
    stream.on('end', () => done());
    stream.resume();
  },
});
server.on('error', () => {});
server.listen(Number(process.env.PORT), '127.0.0.1', () => process.send?.({ type: 'ready' }));
process.on('SIGTERM', () => process.exit(0));
