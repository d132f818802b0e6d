/** Authentication, put together from the settings; undefined where there is none. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRealClock, Problem } from '../base/index.ts';
import { createIdentity, type Identity, type IssuerSetting, oauthUrls, readIssuers } from '../identity/index.ts';
import { serverSecret } from '../store/index.ts';
import type { Ground } from './ground.ts';
import { openCertificates } from './tls.ts';

/** Tokens live by the real time, whatever clock the record has. */
export async function openIdentity({ config, db, ids, baseUrl }: Ground): Promise<Identity | undefined> {
  if (config.auth === 'none') return undefined;
  const certificateOf = await openCertificates(config);
  return createIdentity({
    ...{ db, ids, baseUrl },
    urls: oauthUrls(baseUrl),
    secret: await serverSecret(db, 'access-tokens', randomBytes(32)),
    algorithms: config.clientAlgorithms,
    issuers: config.issuersFile === undefined ? [] : await readIssuerFile(config.issuersFile),
    now: createRealClock().now,
    ...(certificateOf && { certificateOf }),
  });
}

async function readIssuerFile(file: string): Promise<readonly IssuerSetting[]> {
  const content = await readFile(file).catch((cause: unknown) => {
    throw new Problem('incorrect', 'the file of SUTURE_ISSUERS cannot be read', { cause });
  });
  return readIssuers(content);
}
