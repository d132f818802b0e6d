/** What goes on without a request: the break engine, subscriptions and the workers that drive them; and what requests share with them. */
import { randomBytes } from 'node:crypto';
import { type Config, interactionLimits, type Lifecycle } from '../base/index.ts';
import { type BridgeSettings, createBridgeWorks } from '../bridge/index.ts';
import {
  createDigestWork,
  createEngine,
  createFollower,
  createJudgeWork,
  type EngineInput,
  installShipped,
} from '../breaks/index.ts';
import {
  breakGuards,
  clientGuard,
  type Context,
  createBulkWorks,
  createRuleJobWorks,
  letterBytesGuard,
  sharedDocumentGuard,
  searchParameterGuard,
} from '../interactions/index.ts';
import { oauthUrls } from '../identity/index.ts';
import { measureResources } from '../indicators/index.ts';
import {
  createCaller,
  createNotify,
  type Notify,
  type NotifyInput,
  shippedTopicResources,
  type Smtp,
  resolveHost,
} from '../notify/index.ts';
import { createWorkers, type Workers } from '../queue/index.ts';
import { createWithTerms } from '../packages/index.ts';
import { typesOfBase } from '../search/index.ts';
import { createReindexWork, serverSecret } from '../store/index.ts';
import { noteTold, openAudit } from './audit.ts';
import type { Ground } from './ground.ts';
import { openSmtp } from './smtp.ts';
import { softwareVersion } from './version.ts';

export interface Work {
  readonly context: Context;
  readonly engine: EngineInput;
  readonly notify: Notify;
  readonly workers: Workers;
  readonly bridge: BridgeSettings;
}

export async function openWork(ground: Ground, lifecycle: Lifecycle): Promise<Work> {
  const { config } = ground;
  const { quietHours, proofAwaitedHours, zone } = config;
  const proofAwaitedMs = proofAwaitedHours * 3_600_000;
  const engine = createEngine({ ...ground, zone, quietHours, proofAwaitedMs, metrics: ground.metrics.engine });
  lifecycle.onStop('rules of others', () => engine.isolation.stop());
  const smtp = await openSmtp(config);
  const audit = await openAudit(ground);
  const notify = createNotify({
    ...{ ...ground, ...channelSettings(config, smtp), ...noteTold(audit) },
    onAttempt: ground.metrics.attempted,
  });
  await installShipped(ground.store, [...ground.shipped, ...measureResources(), ...shippedTopicResources]);
  const context = { ...(await createContext(ground, engine, notify)), ...(audit && { audit }) };
  const bridge = bridgeSettings(config, smtp);
  const workers = createWorkers({
    ...ground,
    onJob: ground.metrics.worked,
    followers: [createFollower(engine), notify.follower],
    works: [
      createJudgeWork(engine),
      createDigestWork(engine),
      ...notify.works,
      ...createBulkWorks({ context, holder: ground.holder }),
      ...createRuleJobWorks({ context, holder: ground.holder }, engine),
      reindexWork(ground),
      ...createBridgeWorks(bridge, { context, holder: ground.holder, random: ground.random }),
    ],
  });
  ground.onCommit(workers.wake);
  await workers.start();
  lifecycle.onStop('workers', () => workers.stop());
  return { context, engine, notify, workers, bridge };
}

async function createContext(ground: Ground, engine: EngineInput, notify: Notify): Promise<Context> {
  const { clock, config, db, replica, ...others } = ground;
  return {
    ...{ ...others, clock },
    ...(replica && { replica }),
    indexValues: ground.index,
    withTerms: createWithTerms(ground.search, ground.conformance),
    validate: createValidate(ground),
    packages: ground.shelf.packages,
    ...(config.auth === 'smart' && { oauth: oauthUrls(ground.baseUrl) }),
    guards: [
      clientGuard,
      ...breakGuards(engine),
      notify.guard,
      sharedDocumentGuard,
      letterBytesGuard,
      searchParameterGuard(ground.search, clock),
    ],
    references: config.references,
    limits: interactionLimitsOf(config),
    subscriptions: notify,
    secret: await serverSecret(db, 'page-links', randomBytes(32)),
    softwareVersion,
    startedAtMs: clock.now(),
  };
}

/** A page is never larger than the largest. */
function interactionLimitsOf({ bundleEntriesMax, pageMax, conditionalDelete }: Config): Context['limits'] {
  const pageDefault = Math.min(interactionLimits.pageDefault, pageMax);
  const deletesMax = conditionalDelete === 'multiple' ? interactionLimits.deletesMax : 1;
  return { bundleEntriesMax, pageDefault, pageMax, deletesMax };
}

function reindexWork({ search, customParameters, ...ground }: Ground) {
  return createReindexWork({
    ...ground,
    typesOf: (base) => typesOfBase(search, base),
    reload: customParameters.reload,
  });
}

function bridgeSettings(config: Config, smtp: Smtp | undefined): BridgeSettings {
  const { mssanteDomains, mssanteSoftware, zone } = config;
  return { smtp, domains: new Set(mssanteDomains), softwareNumber: mssanteSoftware, zone, bridge: dmpBridge(config) };
}

/** The one origin that documents are published to, called as safely as a subscriber. */
function dmpBridge({ dmpUrl, dmpToken: token, allowsLoopbackHooks }: Config): BridgeSettings['bridge'] {
  if (dmpUrl === undefined) return undefined;
  const url = new URL(dmpUrl);
  const call = createCaller(resolveHost, { allowsLoopback: allowsLoopbackHooks, origins: new Set([url.origin]) });
  return { url, token, call };
}

/** What subscriptions may reach. */
function channelSettings(
  config: Config,
  smtp: Smtp | undefined,
): Pick<NotifyInput, 'allowsLoopback' | 'origins' | 'mail' | 'seats'> {
  const { allowsLoopbackHooks, hookOrigins, mailDomains, mssanteDomains } = config;
  return {
    allowsLoopback: allowsLoopbackHooks,
    seats: config,
    ...(hookOrigins === undefined ? {} : { origins: hookOrigins }),
    ...(smtp === undefined
      ? {}
      : {
          mail: {
            send: smtp.send,
            ...(mailDomains && { domains: mailDomains }),
            ...(mssanteDomains && { mssante: mssanteDomains }),
          },
        }),
  };
}

/** As writes are judged: warnings only of what could not be checked. */
function createValidate({ conformance, config }: Ground): Context['validate'] {
  const expectations = { checksClaims: checksClaims(config) };
  return (resource, typeExpected) =>
    conformance.validate(resource, typeExpected === undefined ? expectations : { ...expectations, typeExpected });
}

export function checksClaims({ validation }: Config): boolean {
  return validation !== 'off';
}
