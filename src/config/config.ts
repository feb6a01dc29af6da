import type { PollingChoice } from '../engine/account.ts';
import type { PublishMode } from '../engine/change-set.ts';
import type { Treatment } from '../engine/field-rules.ts';
import { type InstagramStreamName, streamNames, streams } from '../instagram/streams/index.ts';
import { choosePolling } from './account-settings.ts';
import { mapSettings, type NamedSetting, type Values } from './setting.ts';
import { schema } from './schema.ts';
import type { recordTimestamps } from './stream-fields.ts';

type ParsedFields = Values<typeof schema>;

/** The complete, validated configuration. Deep-frozen; contains secrets, so never log it. */
export interface Config extends Omit<ParsedFields, 'instagram' | 'streams'> {
  readonly instagram: Omit<ParsedFields['instagram'], 'accessToken' | 'clientSecret'> & {
    /** One or more distinct tokens. */
    readonly accessTokens: readonly string[];
    /** The file with the tokens, for reading them again; null when they have another source. */
    readonly accessTokenFile: string | null;
    readonly clientSecret: string | null;
    /** The names of the choice of accounts in the sources that set it. */
    readonly settingNames: Readonly<Record<(typeof accountChoice)[number], string>>;
  };
  readonly streams: Readonly<Record<InstagramStreamName, StreamConfig>>;
  /** The streams and intervals by account. */
  readonly accountPolling: PollingChoice;
}

const accountChoice = ['accounts', 'accountsExclude', 'accountSettings'] as const;

type RecordTimestamp = (typeof recordTimestamps)[number];

/** The settings of a stream; the treatments have the paths of fields. */
interface StreamConfig extends Readonly<Record<Treatment, readonly string[]>> {
  /** True when the stream is polled for any account. */
  readonly enabled: boolean;
  readonly intervalMs: number;
  /** The cron expression that replaces the interval; null for none. */
  readonly schedule: string | null;
  /** Mode of publishing unchanged records; `changes` for streams without the setting. */
  readonly publish: PublishMode;
  /** The timestamp of its records; `publish` for streams without a time of an event. */
  readonly recordTimestamp: RecordTimestamp;
  /** The opt-in metrics that it requests. */
  readonly extra: readonly string[];
  /** Settings of its topic by Kafka's names. */
  readonly topic: Readonly<Record<string, string>>;
}

/** The connection to Kafka and the settings of its clients. */
export type KafkaConfig = Config['kafka'];

/**
 * The connection to the schema registry; at most one of user name with password and bearer token is
 * set.
 */
export type SchemaRegistryConfig = Config['schemaRegistry'];

/** PEM files of a TLS client. Certificate and key are both set or both null. */
export type TlsConfig = SchemaRegistryConfig['ssl'];

/**
 * Builds the configuration from the parsed fields.
 * @param fileOf - returns the file of a variable's secret; null without one
 * @param nameOf - returns the name of a setting, by its path, in the source that sets it
 */
export function assembleConfig(
  values: ReadonlyMap<string, unknown>,
  fileOf: (env: string) => string | null,
  nameOf: (path: string) => string,
): Config {
  const named = ({ key, path, env, format }: NamedSetting) => {
    const value = values.get(path);
    const isReread = typeof value === 'object' && value !== null && 'file' in value;
    return [`${key}${format.unit}`, isReread ? { ...value, file: fileOf(env) } : value] as const;
  };
  // The tree's type comes from the same schema as its values, so the cast is safe.
  const { instagram, streams, ...fields } = mapSettings(schema, named) as unknown as ParsedFields;
  const { accessToken, clientSecret, ...others } = instagram;
  const { accountSettings, login } = instagram;
  const accountPolling = choosePolling(accountSettings, streams.enabled, login);
  const names = accountChoice.map((key) => [key, nameOf(`instagram.${key}`)]);
  return {
    ...fields,
    accountPolling,
    instagram: {
      ...others,
      accessTokens: accessToken,
      accessTokenFile: fileOf('INSTAGRAM_ACCESS_TOKEN'),
      clientSecret: clientSecret?.text ?? null,
      settingNames: Object.fromEntries(names) as Config['instagram']['settingNames'],
    },
    streams: streamConfigs(streams, accountPolling, fields.kafka.recordTimestamp),
  };
}

function streamConfigs(
  fields: ParsedFields['streams'],
  { byAccount, others }: PollingChoice,
  recordTimestamp: RecordTimestamp,
): Config['streams'] {
  const chosen = [others, ...Object.values(byAccount)];
  const values = fields as unknown as Readonly<Record<string, Omit<StreamConfig, 'enabled'>>>;
  const entries = streamNames.map((name) => {
    const timestamp = values[name]?.recordTimestamp ?? recordTimestamp;
    const derived = {
      recordTimestamp: streams[name].eventTime === null ? 'publish' : timestamp,
      enabled: chosen.some((polling) => polling.streams.includes(name)),
    };
    return [name, { publish: 'changes', extra: [], ...values[name], ...derived }];
  });
  return Object.fromEntries(entries) as Config['streams'];
}

/** The streams that are polled for any account, in the order in which a short quota is spent. */
export function enabledStreams({ streams }: Pick<Config, 'streams'>) {
  return streamNames.filter((name) => streams[name].enabled);
}

/** The streams whose records carry the time of their event. */
export function eventTimedStreams({ streams }: Pick<Config, 'streams'>) {
  return streamNames.filter((name) => streams[name].recordTimestamp === 'event');
}

/** The fields of each stream's key where keys are Avro records; none where they are texts. */
export function keyFields({
  kafka,
}: Pick<Config, 'kafka'>): Readonly<Record<string, readonly string[]>> {
  if (kafka.keyFormat === 'string') return {};
  return Object.fromEntries(streamNames.map((name) => [name, streams[name].key]));
}

/** The configured settings of the topics, by stream. */
export function topicSettings({ streams }: Pick<Config, 'streams'>) {
  return Object.fromEntries(streamNames.map((name) => [name, streams[name].topic]));
}
