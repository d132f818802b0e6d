/**
 * Mail servers as hospitals run them, from the packages of the system: exim takes mail by SMTP, answers with reports (DSN) and lays
 * it into mailboxes, dovecot gives these by IMAP, with TLS and certificates of both sides. Everything lives in one temporary
 * folder, on ports of this machine; where a program is missing, `whyNoMail` says which.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from './port.ts';

const programs = { dovecot: '/usr/sbin/dovecot', exim: '/usr/sbin/exim4', openssl: '/usr/bin/openssl' } as const;
/** Who owns the mail: neither program serves mailboxes of root, and exim trusts no other user than its own. */
const ownerName = 'Debian-exim';
const startTimeoutMs = 20_000;

export const mailDomain = 'chva.mssante.fr';

/** undefined: both servers are at hand. */
export function whyNoMail(): string | undefined {
  const missing = Object.values(programs).filter((path) => !existsSync(path));
  if (missing.length > 0) return `not installed: ${missing.join(', ')} (Debian: dovecot-imapd, exim4-daemon-light)`;
  return userInfo().uid === 0 ? undefined : 'only root may start them';
}

export interface RealMail {
  /** Takes mail by STARTTLS alone, from who shows a certificate. */
  readonly smtpUrl: string;
  /** Of a mailbox; on this address only TLS is spoken, and the client shows its certificate. */
  imapsUrl(box: string): URL;
  /** On an address that is not the loopback's own name: begins in the clear and must go over to TLS. */
  starttlsUrl(box: string): URL;
  readonly tls: { readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer };
  /** Files of the same. */
  readonly tlsFiles: { readonly cert: string; readonly key: string; readonly ca: string };
  /** How many mails lie in a folder of a mailbox. */
  count(box: string, folder?: string): number;
  /** What the servers say of themselves. */
  log(): string;
  close(): Promise<void>;
}

export async function openRealMail(boxes: readonly string[]): Promise<RealMail> {
  const folder = mkdtempSync(join(tmpdir(), 'suture-mail-'));
  chmodSync(folder, 0o755);
  const path = (name: string) => join(folder, name);
  const owner = ownerOf();
  for (const name of ['mail', 'spool', 'log', 'home']) {
    mkdirSync(path(name));
    chownSync(path(name), owner.uid, owner.gid);
  }
  makeCertificates(folder);
  // Exim reads its key as its own user.
  chownSync(path('server.key'), owner.uid, owner.gid);
  const [smtp, imap, imaps] = [await freePort(), await freePort(), await freePort()];
  writeFileSync(path('exim.conf'), eximSettings(folder, smtp, boxes));
  writeFileSync(path('dovecot.conf'), dovecotSettings(folder, owner, { imap, imaps }));
  const running = [
    spawn(programs.exim, ['-bdf', '-C', path('exim.conf')], { stdio: 'ignore' }),
    spawn(programs.dovecot, ['-F', '-c', path('dovecot.conf')], { stdio: 'ignore' }),
  ];
  const log = () =>
    ['dovecot.log', 'log/mainlog', 'log/paniclog']
      .map((name) => (existsSync(path(name)) ? readFileSync(path(name), 'utf8') : ''))
      .join('\n');
  const close = async () => {
    await Promise.all(running.map(stop));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all([smtp, imap, imaps].map((port) => answers(port, running)));
  } catch (error) {
    const said = log();
    await close();
    throw new Error(`the mail servers did not start: ${said}`, { cause: error });
  }
  const read = (name: string) => readFileSync(path(name));
  return {
    smtpUrl: `smtp://127.0.0.1:${smtp}`,
    imapsUrl: (box) => new URL(`imaps://${box}:secret@127.0.0.1:${imaps}`),
    starttlsUrl: (box) => new URL(`imap://${box}:secret@127.0.0.2:${imap}`),
    tls: { cert: read('client.pem'), key: read('client.key'), ca: read('ca.pem') },
    tlsFiles: { cert: path('client.pem'), key: path('client.key'), ca: path('ca.pem') },
    count: (box, name) =>
      ['new', 'cur'].reduce(
        (sum, part) => sum + filesIn(path(join('mail', box, name === undefined ? '' : `.${name}`, part))),
        0,
      ),
    log,
    close,
  };
}

function filesIn(folder: string): number {
  return existsSync(folder) ? readdirSync(folder).length : 0;
}

/** An authority, and what it gives to the server and to its client. */
function makeCertificates(folder: string): void {
  const run = (...args: readonly string[]) => execFileSync(programs.openssl, args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  run('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Autorite de test');
  for (const [name, usage] of [
    ['server', 'serverAuth'],
    ['client', 'clientAuth'],
  ] as const) {
    const subject = [
      '-subj',
      `/CN=${name}`,
      '-addext',
      'subjectAltName=IP:127.0.0.1,IP:127.0.0.2',
      '-addext',
      `extendedKeyUsage=${usage}`,
    ];
    run(
      'req',
      '-x509',
      ...key,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
      ...subject,
      '-addext',
      'basicConstraints=CA:FALSE',
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
    );
  }
}

function eximSettings(folder: string, port: number, boxes: readonly string[]): string {
  return `primary_hostname = mta.${mailDomain}
deliver_drop_privilege = true
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
pid_file_path = ${folder}/exim.pid
daemon_smtp_ports = ${port}
local_interfaces = 127.0.0.1
dsn_advertise_hosts = *
message_size_limit = 30M
tls_advertise_hosts = *
tls_certificate = ${folder}/server.pem
tls_privatekey = ${folder}/server.key
tls_verify_certificates = ${folder}/ca.pem
tls_verify_hosts = *
acl_smtp_mail = accept_enciphered
acl_smtp_rcpt = accept_here
acl_smtp_data = accept_all
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
queue_run_in_order
begin acl
accept_enciphered:
  accept encrypted = *
  deny message = not in the clear
accept_here:
  accept domains = ${mailDomain}
  deny message = not for here
accept_all:
  accept
begin routers
boxes:
  driver = accept
  domains = ${mailDomain}
  local_parts = ${boxes.join(' : ')}
  transport = box
begin transports
box:
  driver = appendfile
  directory = ${folder}/mail/$local_part_data
  maildir_format
  delivery_date_add
  envelope_to_add
begin retry
* * F,1m,1m
`;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

function ownerOf(): Owner {
  const [, , uid, gid] = execFileSync('getent', ['passwd', ownerName], { encoding: 'utf8' }).split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

function dovecotSettings(
  folder: string,
  { uid, gid }: Owner,
  { imap, imaps }: { readonly imap: number; readonly imaps: number },
): string {
  return `protocols = imap
base_dir = ${folder}/run
state_dir = ${folder}/run
log_path = ${folder}/dovecot.log
listen = 127.0.0.1, 127.0.0.2
ssl = required
ssl_cert = <${folder}/server.pem
ssl_key = <${folder}/server.key
ssl_ca = <${folder}/ca.pem
ssl_require_crl = no
ssl_verify_client_cert = yes
auth_ssl_require_client_cert = yes
disable_plaintext_auth = yes
first_valid_uid = 1
mail_location = maildir:${folder}/mail/%u
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${folder}/home/%u
}
service imap-login {
  inet_listener imap {
    port = ${imap}
  }
  inet_listener imaps {
    port = ${imaps}
    ssl = yes
  }
}
`;
}

/** Waits until the port is open. */
async function answers(port: number, running: readonly ChildProcess[]): Promise<void> {
  const end = performance.now() + startTimeoutMs;
  while (!(await isOpen(port))) {
    const isGone = running.some(({ exitCode }) => exitCode !== null);
    if (isGone || performance.now() > end) throw new Error(`nothing answers on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(force);
}
