import { readFileSync } from 'node:fs';
import { describeConfig } from '../src/config/description.ts';
import type { TopicRole } from '../src/engine/stream-name.ts';
import { planTopics, type TopicPlan } from '../src/kafka/topic-plan.ts';
import {
  compactedStreams,
  type InstagramStreamName,
  isStreamName,
  streams,
} from '../src/instagram/streams/index.ts';

/** The parts of a schema that the file repeats; the rest is passed on unchanged. */
interface AvroSchemaFile {
  readonly name: string;
  readonly doc: string;
}

const avroKeys =
  ' With `KAFKA_KEY_FORMAT=avro` an Avro record of these fields, with its schema under the subject `<topic>-key`.';

const accountKey = '<stream>/<account id>';

/**
 * Renders `docs/asyncapi.json`: the topics, keys, headers and schemas, for catalogues and code
 * generators.
 */
export function renderAsyncApi(): string {
  const roles: readonly TopicRole[] = [
    ...Object.values(streams).map(({ name }) => name),
    'dead_letters',
    'notifications',
    'state',
  ];
  const plans = planTopics({
    roles,
    compacted: compactedStreams,
    topicSettings: {},
    eventTimed: [],
    ...defaults(),
  });
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'instagram-kafka-producer',
      version: version(),
      description:
        'What instagram-kafka-producer publishes, under the default topic template. Records and the state after them are one Kafka transaction: read with isolation.level=read_committed.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/vnd.apache.avro',
    channels: Object.fromEntries(plans.map((plan) => [plan.role, channelOf(plan)])),
    operations: Object.fromEntries(plans.map(({ role }) => [`publish_${role}`, operationOf(role)])),
    components: { schemas: { headers } },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function defaults() {
  const config = new Map(describeConfig().map(({ path, default: value }) => [path, value]));
  return {
    topicTemplate: String(config.get('kafka.topicTemplate')),
    topics: {
      create: true,
      partitions: Number(config.get('kafka.topics.partitions')),
      statePartitions: Number(config.get('kafka.topics.statePartitions')),
      replicationFactor: -1,
      minInSyncReplicas: -1,
      deadLetterRetentionMs: -1,
    },
  };
}

function version(): string {
  const file = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}

const text = (description: string) => ({ type: 'string', description });

const headers = {
  type: 'object',
  required: ['stream', 'account', 'poll', 'schema'],
  properties: {
    stream: text('Name of the stream that was polled.'),
    account: text('Id of the Instagram account that was polled.'),
    poll: text(
      '`<stream>/<account id>/<when the poll began>`; the same for all that one poll found.',
    ),
    schema: text("The schema's id in the registry, as in the value's first bytes."),
  },
} as const;

function channelOf({ role, name, partitions, configs }: TopicPlan) {
  const schema = readAvro(role);
  return {
    address: name,
    description: docOf(role, schema),
    messages: { [schema.name]: messageOf(role, schema) },
    bindings: {
      kafka: {
        topic: name,
        partitions,
        topicConfiguration: { 'cleanup.policy': [configs['cleanup.policy']] },
        bindingVersion: '0.5.0',
      },
    },
  };
}

function messageOf(role: TopicRole, schema: AvroSchemaFile) {
  return {
    name: schema.name,
    summary: schema.doc,
    // Records that are of no poll have no headers.
    ...(role === 'state' || role === 'notifications'
      ? {}
      : { headers: { $ref: '#/components/schemas/headers' } }),
    payload: { schemaFormat: 'application/vnd.apache.avro;version=1.9.0', schema },
    bindings: {
      kafka: {
        key: text(`UTF-8 text: \`${keyOf(role)}\`.${isStream(role) ? avroKeys : ''}`),
        schemaIdLocation: 'payload',
        schemaIdPayloadEncoding: 'confluent',
        schemaLookupStrategy: 'TopicNameStrategy',
        bindingVersion: '0.5.0',
      },
    },
  };
}

function operationOf(role: TopicRole) {
  const channel = `#/channels/${role}`;
  return {
    action: 'send',
    channel: { $ref: channel },
    messages: [{ $ref: `${channel}/messages/${readAvro(role).name}` }],
  };
}

function docOf(role: TopicRole, { doc }: AvroSchemaFile): string {
  return isStream(role) ? streams[role].doc : doc;
}

function keyOf(role: TopicRole): string {
  if (role === 'notifications') return '<condition>';
  return isStream(role) ? streams[role].key.join('/') : accountKey;
}

function isStream(role: TopicRole): role is InstagramStreamName {
  return isStreamName(role);
}

function readAvro(role: TopicRole): AvroSchemaFile {
  const file = new URL(`../avro/${role}.avsc`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as AvroSchemaFile;
}
