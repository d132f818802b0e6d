/** The one way out for mail. */
import { type Config, readClientTls } from '../base/index.ts';
import { createSmtp, type Smtp } from '../notify/index.ts';

export async function openSmtp(config: Config): Promise<Smtp | undefined> {
  const { smtpUrl, mailFrom, smtpCertificate, smtpKey, smtpCa } = config;
  if (smtpUrl === undefined || mailFrom === undefined) return undefined;
  const tls = await readClientTls({ cert: smtpCertificate, key: smtpKey, ca: smtpCa });
  return createSmtp({ server: new URL(smtpUrl), from: mailFrom, tls });
}
