import type { Config } from '../../config/config.ts';
import { topicName } from '../../engine/stream-name.ts';
import {
  type Endpoint,
  type KafkaAdapter,
  type TopicFinding,
  unsupportedRelease,
} from '../../kafka/index.ts';
import { plural } from '../text.ts';
import { type CheckStep, type Finding, daysText, failure, ok, skipped, step } from './checklist.ts';

export interface KafkaTools {
  readonly config: Config;
  /** Has the topics that the configuration wants; used for reading only. */
  readonly kafka: KafkaAdapter;
  /** Has the existing state topic alone. */
  readonly stateKafka: KafkaAdapter;
  readonly nowMs: () => number;
  /** Returns the accounts with topics of their own; none where all accounts share them. */
  readonly accountIds: AccountIds;
}

/** @throws errors of the account list */
export type AccountIds = (signal: AbortSignal) => Promise<readonly string[]>;

/** Advice for brokers that cannot be reached or are too old. */
const advices = {
  dns: 'Correct KAFKA_BROKERS, or the name service of this machine.',
  tcp: 'Check that the broker is up, its listeners and port, and what stands between: a firewall, a network policy.',
  tls: 'Check that this port of the broker speaks TLS; without, KAFKA_SECURITY_PROTOCOL is PLAINTEXT or SASL_PLAINTEXT.',
  advertised:
    "Brokers tell clients by which names they are reached: check this one's advertised.listeners, and the way to it.",
  upgrade:
    'Upgrade it to Kafka 3.0 or later. Older releases lack kafka-transactions.sh, which ends an open transaction that blocks a restore.',
} as const;

/** Returns the steps from the DNS lookup of a broker to the state topic. */
export function kafkaSteps(tools: KafkaTools): readonly CheckStep[] {
  const { config, stateKafka } = tools;
  const { probe } = tools.kafka;
  const resolve = async (endpoint: Endpoint) => (await probe.resolve(endpoint)).join(', ');
  const reach = async (endpoint: Endpoint) => {
    await probe.reach(endpoint);
    return 'can be connected to';
  };
  let states: Awaited<ReturnType<typeof readStates>> = null;
  return [
    step('kafka.dns', [], () => each(probe.endpoints, resolve, advices.dns)),
    step('kafka.tcp', ['kafka.dns'], () => each(probe.endpoints, reach, advices.tcp)),
    step('kafka.tls', ['kafka.tcp'], () => handshakes(tools)),
    // Runs without SASL as well: it is the first request to Kafka.
    step('kafka.login', ['kafka.tls'], async () => {
      await probe.cluster();
      if (probe.login !== null) return [ok(`logged in with ${probe.login}`)];
      return [skipped('not used: KAFKA_SECURITY_PROTOCOL is without SASL; Kafka answers')];
    }),
    step('kafka.brokers', ['kafka.login'], async () => {
      const inspect = async (endpoint: Endpoint) => {
        const reached = await reach(endpoint);
        return versionFinding(reached, await probe.version(endpoint).catch(() => null));
      };
      return each(await probe.cluster(), inspect, advices.advertised);
    }),
    step('kafka.transactions', ['kafka.login'], async () => {
      const id = await probe.transactions();
      const timeoutS = config.kafka.transactionTimeoutMs / 1000;
      return [ok(`allowed, with ${id} and a timeout of ${timeoutS} s`)];
    }),
    step('kafka.topics', ['kafka.login'], async (signal) => {
      const topics = await probe.topics(await tools.accountIds(signal));
      return topics.map((topic) => topicFinding(topic, config));
    }),
    step('kafka.group', ['kafka.login'], async (signal) => {
      states = await readStates(stateKafka, signal);
      if (states === null) {
        return [skipped('joining a group takes the state topic, which is not there yet')];
      }
      const members = await stateKafka.group.members(signal);
      const running = members.length === 0 ? 'no instance runs' : `running: ${members.join(', ')}`;
      return [ok(`allowed; ${running}`)];
    }),
    step('kafka.states', ['kafka.group'], (signal) => stateFindings(stateKafka, states, signal)),
  ];
}

function handshakes({ kafka: { probe }, nowMs }: KafkaTools) {
  if (!probe.usesTls) return [skipped('not used: KAFKA_SECURITY_PROTOCOL is without SSL')];
  const shake = async (endpoint: Endpoint) => {
    const { protocol, subject, validUntilMs } = await probe.handshake(endpoint);
    return `${protocol}, certificate of ${subject}, valid ${daysText(validUntilMs, nowMs())}`;
  };
  return each(probe.endpoints, shake, advices.tls);
}

/** Runs a check for each endpoint; `action` is the advice for one that cannot be reached. */
function each(
  endpoints: readonly Endpoint[],
  check: (endpoint: Endpoint) => Promise<string | Finding>,
  action: string,
): Promise<readonly Finding[]> {
  return Promise.all(
    endpoints.map(async (endpoint) => {
      const subject = `${endpoint.host}:${endpoint.port}`;
      try {
        const found = await check(endpoint);
        return typeof found === 'string' ? ok(found, subject) : { ...found, subject };
      } catch (error) {
        const found = failure(error, subject);
        return found.code === 'kafka.unavailable' ? { ...found, action } : found;
      }
    }),
  );
}

function versionFinding(reached: string, release: string | null): Finding {
  if (release === null) return ok(`${reached}; version unknown`);
  const detail = `${reached}; Kafka ${release}`;
  if (release !== unsupportedRelease) return ok(detail);
  return { status: 'warning', detail, action: advices.upgrade };
}

function topicFinding(topic: TopicFinding, config: Config): Finding {
  const { name: subject, problems, warnings } = topic;
  if (problems.length > 0) {
    const code = 'kafka.topic-invalid';
    // A problem names its topic, as it also stands alone in the log.
    const details = problems.map((problem) => problem.replace(`${subject}: `, ''));
    return { status: 'failed', subject, detail: details.join('; '), code };
  }
  if (warnings.length === 0) return ok(describeTopic(topic, config), subject);
  const detail = warnings.map(({ problem }) => problem).join('; ');
  const action = warnings.map((warning) => warning.action).join(' ');
  return { status: 'warning', subject, detail, action };
}

function describeTopic(topic: TopicFinding, { kafka }: Config): string {
  const { name, exists, partitions, configs } = topic;
  const retention = configs['cleanup.policy'] === 'delete' ? ['retention.ms'] : [];
  const shown = ['cleanup.policy', ...retention, 'min.insync.replicas'].flatMap((config) =>
    configs[config] === undefined ? [] : [`${config}=${configs[config]}`],
  );
  const facts = [plural(partitions, 'partition'), ...shown].join(', ');
  if (!exists) return `is made by the start, with ${facts}`;
  const isState = name === topicName(kafka.topicTemplate, 'state');
  return isState ? `${facts}; the unit in which accounts are shared` : facts;
}

/** Reads the state topic; null where it does not exist. */
async function readStates(kafka: KafkaAdapter, signal: AbortSignal) {
  if (!(await kafka.stateAdmin.exists())) return null;
  await kafka.prepareTopics(signal);
  return await kafka.probe.states(signal);
}

/** Unreadable states that are named, at most. */
const namedStates = 5;

async function stateFindings(
  { probe }: KafkaAdapter,
  states: Awaited<ReturnType<typeof readStates>>,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  if (states === null) return [skipped('there is no state yet')];
  const unreadable = await probe.unreadable(states, signal);
  const readable = states.length - unreadable.length;
  const more = unreadable.length - namedStates;
  return [
    ...unreadable.slice(0, namedStates).map(({ key, error }) => failure(error, key)),
    ...(more > 0 ? [{ status: 'failed', detail: `${more} more cannot be read` } as const] : []),
    ...(readable > 0 || unreadable.length === 0
      ? [ok(`${plural(readable, 'state')} can be read`)]
      : []),
  ];
}
