import type { Config } from '../../config/config.ts';
import { topicName } from '../../engine/stream-name.ts';
import type { Endpoint, KafkaAdapter, TopicFinding } from '../../kafka/index.ts';
import { type Finding, type CheckStep, failure } from './checklist.ts';
import { daysText } from './days-text.ts';

/** Dependencies of the Kafka steps. */
export interface KafkaTools {
  readonly config: Config;
  /** Has the topics that the configuration wants; used for reading only. */
  readonly kafka: KafkaAdapter;
  /** Has the existing state topic alone. */
  readonly stateKafka: KafkaAdapter;
  readonly nowMs: () => number;
}

/**
 * Returns the steps from the DNS lookup of a broker to the state topic, in the order of their
 * dependencies.
 */
export function kafkaSteps(tools: KafkaTools): readonly CheckStep[] {
  const { kafka, config } = tools;
  const { probe } = kafka;
  return [
    {
      id: 'kafka.dns',
      needs: [],
      run: () => each(probe.endpoints, (endpoint) => resolve(tools, endpoint), advices.dns),
    },
    {
      id: 'kafka.tcp',
      needs: ['kafka.dns'],
      run: () => each(probe.endpoints, (endpoint) => reach(tools, endpoint), advices.tcp),
    },
    { id: 'kafka.tls', needs: ['kafka.tcp'], run: () => handshakes(tools) },
    { id: 'kafka.login', needs: ['kafka.tls'], run: () => logIn(tools) },
    { id: 'kafka.brokers', needs: ['kafka.login'], run: () => brokers(tools) },
    { id: 'kafka.transactions', needs: ['kafka.login'], run: () => transactions(tools) },
    {
      id: 'kafka.topics',
      needs: ['kafka.login'],
      run: async () => (await probe.topics()).map((topic) => topicFinding(topic, config)),
    },
    { id: 'kafka.group', needs: ['kafka.login'], run: (signal) => group(tools, signal) },
  ];
}

function nameOf({ host, port }: Endpoint): string {
  return `${host}:${port}`;
}

/** Advice for endpoints that cannot be reached. */
const advices = {
  dns: 'Correct KAFKA_BROKERS, or the name service of this machine.',
  tcp: 'Check that the broker is up, its listeners and port, and what stands between: a firewall, a network policy.',
  tls: 'Check that this port of the broker speaks TLS; without, KAFKA_SECURITY_PROTOCOL is PLAINTEXT or SASL_PLAINTEXT.',
  advertised:
    "Brokers tell clients by which names they are reached: check this one's advertised.listeners, and the way to it.",
} as const;

/** Runs a check for each endpoint; an error becomes a finding of that endpoint. */
function each(
  endpoints: readonly Endpoint[],
  check: (endpoint: Endpoint) => Promise<string>,
  action: string,
): Promise<readonly Finding[]> {
  return Promise.all(
    endpoints.map(async (endpoint): Promise<Finding> => {
      const subject = nameOf(endpoint);
      try {
        return { status: 'ok', subject, detail: await check(endpoint) };
      } catch (error) {
        const found = failure(error, subject);
        // Other error codes have advice of their own.
        return found.code === 'kafka.unavailable' ? { ...found, action } : found;
      }
    }),
  );
}

async function resolve({ kafka }: KafkaTools, endpoint: Endpoint): Promise<string> {
  const addresses = await kafka.probe.resolve(endpoint);
  return addresses.join(', ');
}

async function reach({ kafka }: KafkaTools, endpoint: Endpoint): Promise<string> {
  await kafka.probe.reach(endpoint);
  return 'can be connected to';
}

async function handshakes({ kafka, nowMs }: KafkaTools): Promise<readonly Finding[]> {
  const { probe } = kafka;
  if (!probe.usesTls) return [skipped('not used: KAFKA_SECURITY_PROTOCOL is without SSL')];
  const shake = async (endpoint: Endpoint): Promise<string> => {
    const { protocol, subject, validUntilMs } = await probe.handshake(endpoint);
    return `${protocol}, certificate of ${subject}, valid ${daysText(validUntilMs, nowMs())}`;
  };
  return each(probe.endpoints, shake, advices.tls);
}

/** Runs without SASL as well: it is the first request to Kafka. */
async function logIn({ kafka }: KafkaTools): Promise<readonly Finding[]> {
  const { probe } = kafka;
  await probe.cluster();
  if (probe.login === null) {
    return [skipped('not used: KAFKA_SECURITY_PROTOCOL is without SASL; Kafka answers')];
  }
  return [{ status: 'ok', detail: `logged in with ${probe.login}` }];
}

/** Checks that each broker is reachable from here by its advertised name. */
async function brokers(tools: KafkaTools): Promise<readonly Finding[]> {
  const endpoints = await tools.kafka.probe.cluster();
  return each(endpoints, (endpoint) => reach(tools, endpoint), advices.advertised);
}

async function transactions({ kafka, config }: KafkaTools): Promise<readonly Finding[]> {
  const id = await kafka.probe.transactions();
  const timeout = `${String(config.kafka.transactionTimeoutMs / 1000)} s`;
  return [{ status: 'ok', detail: `allowed, with ${id} and a timeout of ${timeout}` }];
}

function topicFinding(topic: TopicFinding, config: Config): Finding {
  const { name: subject, problems, warning } = topic;
  if (problems.length > 0) {
    const code = 'kafka.topic-invalid';
    return { status: 'failed', subject, detail: problems.join('; '), code };
  }
  if (warning === null) return intactTopic(topic, config);
  const { problem: detail, command } = warning;
  return { status: 'warning', subject, detail, action: `Run: ${command}` };
}

function intactTopic(
  { name, exists, partitions, configs }: TopicFinding,
  { kafka }: Config,
): Finding {
  const retention = configs['cleanup.policy'] === 'delete' ? ['retention.ms'] : [];
  const facts = [
    `${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`,
    ...['cleanup.policy', ...retention, 'min.insync.replicas'].flatMap((config) =>
      configs[config] === undefined ? [] : [`${config}=${configs[config]}`],
    ),
  ].join(', ');
  const isState = name === topicName(kafka.topicTemplate, 'state');
  const moreFacts = isState ? `${facts}; the unit in which accounts are shared` : facts;
  const detail = exists ? moreFacts : `is made by the start, with ${facts}`;
  return { status: 'ok', subject: name, detail };
}

async function group({ stateKafka }: KafkaTools, signal: AbortSignal): Promise<readonly Finding[]> {
  if (!(await stateKafka.stateAdmin.exists())) {
    return [skipped('joining a group takes the state topic, which is not there yet')];
  }
  await stateKafka.prepareTopics(signal);
  const keys = await stateKafka.probe.group(signal);
  const members = await stateKafka.group.members(signal);
  const running = members.length === 0 ? 'no instance runs' : `running: ${members.join(', ')}`;
  return [{ status: 'ok', detail: `allowed; ${keys} states can be read; ${running}` }];
}

function skipped(detail: string): Finding {
  return { status: 'skipped', detail };
}
