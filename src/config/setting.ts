import type { Format } from './formats.ts';

/** One setting: its format and its description. */
export interface Setting<T, Unit extends string = string> {
  readonly format: Format<T, Unit>;
  /** Markdown, one or more sentences. */
  readonly doc: string;
}

/** A level of the configuration file. */
export interface SettingGroup {
  readonly [key: string]: Setting<unknown> | SettingGroup;
}

/** The typed values of a group of settings, by names that end with their unit. */
export type Values<G> = {
  readonly [K in keyof G & string as NameOf<K, G[K]>]: G[K] extends Setting<infer T>
    ? T
    : Values<G[K]>;
};
type NameOf<K extends string, Entry> =
  Entry extends Setting<unknown, infer Unit> ? `${K}${Unit}` : K;

/** A setting with its path and its names. */
export interface NamedSetting extends Setting<unknown> {
  /** The path in the file, such as `kafka.topics.create`. */
  readonly path: string;
  /** The last part of the path. */
  readonly key: string;
  /** The environment variable, such as `KAFKA_TOPICS_CREATE`; of a map `STREAM_TAGS_TOPIC_<SETTING>`. */
  readonly env: string;
  /** The argument without its dashes, such as `kafka-topics-create`. */
  readonly arg: string;
}

/** Creates a setting from its format and its description. */
export function setting<T, Unit extends string>(
  format: Format<T, Unit>,
  doc: string,
): Setting<T, Unit> {
  return { format, doc };
}

export function isSetting(entry: Setting<unknown> | SettingGroup): entry is Setting<unknown> {
  return typeof entry['doc'] === 'string';
}

/** Every setting of a group, in the order of declaration. */
export function listSettings(group: SettingGroup): readonly NamedSetting[] {
  const settings: NamedSetting[] = [];
  mapSettings(group, (one) => [one.key, settings.push(one)]);
  return settings;
}

/** Maps a group to a tree of the same structure; `map` names and converts each setting. */
export function mapSettings(
  group: SettingGroup,
  map: (setting: NamedSetting) => readonly [key: string, value: unknown],
  prefix = '',
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(group).map(([key, entry]) => {
      const path = `${prefix}${key}`;
      return isSetting(entry)
        ? map(place(entry, path, key))
        : [key, mapSettings(entry, map, `${path}.`)];
    }),
  );
}

/**
 * Names a setting by its path. Only the streams differ from it: `STREAMS`, `STREAM_TAGS_INTERVAL`.
 */
function place(entry: Setting<unknown>, path: string, key: string): NamedSetting {
  const words = path.replace('streams.enabled', 'streams').replace('streams.', 'stream.');
  const arg = words.replaceAll(/[A-Z]/g, '-$&').replaceAll(/[._]/g, '-').toLowerCase();
  const { entries } = entry.format;
  const end = entries === undefined ? '' : `_<${entries.placeholder}>`;
  return { ...entry, path, key, arg, env: `${arg.replaceAll('-', '_').toUpperCase()}${end}` };
}
