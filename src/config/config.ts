import type { PublishMode } from '../engine/change-set.ts';
import { streamNames, type StreamName } from '../engine/stream-name.ts';
import { mapLeaves, type PlacedLeaf, type Values } from './leaf.ts';
import { schema } from './schema.ts';

type Fields = Values<typeof schema>;

/** The whole, valid configuration. Deep-frozen; holds secrets, so never log it as it is. */
export interface Config extends Omit<Fields, 'instagram' | 'streams'> {
  readonly instagram: Omit<Fields['instagram'], 'accessToken' | 'clientSecret'> & {
    /** One or more, no two alike. */
    readonly accessTokens: readonly string[];
    /** Where they came from, to be read again; null when it was no file. */
    readonly accessTokenFile: string | null;
    readonly clientSecret: string | null;
  };
  readonly streams: Readonly<Record<StreamName, StreamConfig>>;
}

/** Whether and how often a stream is polled. */
interface StreamConfig {
  readonly enabled: boolean;
  readonly intervalMs: number;
  /** Whether records that say nothing new are published; a stream without the field has none. */
  readonly publish: PublishMode;
}

/** Where Kafka is and how it is used. */
export type KafkaConfig = Config['kafka'];

/** Where schemas are kept; of `username` with `password` and `bearerToken` one is set, or none. */
export type SchemaRegistryConfig = Config['schemaRegistry'];

/** PEM files of a TLS client. Certificate and key are both set or both null. */
export type TlsConfig = SchemaRegistryConfig['ssl'];

/**
 * The program's view of the parsed fields.
 *
 * @param fileOf - the file that the secret of a variable came from; null when it was none
 */
export function assembleConfig(
  values: ReadonlyMap<string, unknown>,
  fileOf: (env: string) => string | null,
): Config {
  const named = ({ key, path, env, format }: PlacedLeaf) => {
    const value = values.get(path);
    const isReread = typeof value === 'object' && value !== null && 'file' in value;
    return [`${key}${format.unit}`, isReread ? { ...value, file: fileOf(env) } : value] as const;
  };
  // The schema that types the tree is the one that it is built from, each value by its leaf's format.
  const { instagram, streams, ...fields } = mapLeaves(schema, named) as unknown as Fields;
  const { accessToken, clientSecret, ...others } = instagram;
  return {
    ...fields,
    instagram: {
      ...others,
      accessTokens: accessToken,
      accessTokenFile: fileOf('INSTAGRAM_ACCESS_TOKEN'),
      clientSecret: clientSecret?.text ?? null,
    },
    streams: switchStreams(streams),
  };
}

function switchStreams({ enabled, ...streams }: Fields['streams']): Config['streams'] {
  const entries = streamNames.map((name): [StreamName, StreamConfig] => [
    name,
    { publish: 'changes', ...streams[name], enabled: enabled.includes(name) },
  ]);
  return Object.fromEntries(entries) as Config['streams'];
}
