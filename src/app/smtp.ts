/** The one way out for mail. */
import { readFile } from 'node:fs/promises';
import type { Config } from '../base/index.ts';
import { createSmtp, type Smtp } from '../notify/index.ts';

export async function openSmtp(config: Config): Promise<Smtp | undefined> {
  const { smtpUrl, mailFrom, smtpCertificate, smtpKey, smtpCa } = config;
  if (smtpUrl === undefined || mailFrom === undefined) return undefined;
  const read = async (name: 'cert' | 'key' | 'ca', file: string | undefined) =>
    file === undefined ? {} : { [name]: await readFile(file) };
  const tls = {
    ...(await read('cert', smtpCertificate)),
    ...(await read('key', smtpKey)),
    ...(await read('ca', smtpCa)),
  };
  return createSmtp({ server: new URL(smtpUrl), from: mailFrom, tls });
}
