import { fileURLToPath } from 'node:url';
import { type ConfigProblem, unknownName } from './config-error.ts';
import { type Entries, readEntries } from './entries.ts';
import { isObject } from './formats.ts';
import { isSetting, type SettingGroup, type NamedSetting } from './setting.ts';
import { redact } from './redaction.ts';
import { settings, schema } from './schema.ts';
import { streams } from '../instagram/streams/index.ts';
import { optInMetrics } from '../instagram/streams/stream.ts';
import { readTextFile } from './text-file.ts';

/** `config/default.json` of the package, two levels above both `src/config` and `dist/config`. */
const defaultsFile = fileURLToPath(new URL('../../config/default.json', import.meta.url));

/** Reads the defaults: `config/default.json`, and those of each stream from its declaration. */
export function readDefaults(): FileValues {
  const { values, ...file } = readConfigFile(defaultsFile);
  const declared: FileGroup = { ...(values['streams'] as FileGroup) };
  for (const stream of Object.values(streams)) {
    const { name, interval, publish, eventTime } = stream;
    const lists = { exclude: [], mask: [], hash: [] };
    declared[name] = {
      interval,
      schedule: null,
      ...(publish && { publish }),
      ...(eventTime !== null && { recordTimestamp: null }),
      ...(optInMetrics(stream).size > 0 && { extra: [] }),
      topic: null,
      ...lists,
    };
  }
  return { ...file, values: { ...values, streams: declared } };
}

/** The raw values of a file's known fields, and the problems of the rest. */
export interface FileValues {
  readonly values: FileGroup;
  readonly problems: readonly ConfigProblem[];
  /** True when the file could be read. */
  readonly readable: boolean;
}

/** A level of the file: raw values and levels below. */
export type FileGroup = Record<string, unknown>;

/** The raw value of a field by its path; undefined when the file does not set it. */
export function valueAt(group: FileGroup, path: string): unknown {
  const keys = path.split('.');
  return keys.reduce<unknown>((level, key) => (level as FileGroup | undefined)?.[key], group);
}

/** Reads a JSON configuration file. Errors and unknown keys become problems; never throws. */
export function readConfigFile(file: string): FileValues {
  const content = readTextFile(file);
  if (!content.ok) {
    const received = `a file that cannot be read (${content.reason})`;
    return unreadable(file, received, 'correct the path or the permissions of the file');
  }
  let json: unknown;
  try {
    json = JSON.parse(content.text);
  } catch (error) {
    // The parser's message quotes the file, which may contain secrets; only the position is shown.
    const place = /line \d+ column \d+/.exec(error instanceof Error ? error.message : '')?.[0];
    const received =
      place === undefined ? 'text that is not JSON' : `text that is not JSON at ${place}`;
    return unreadable(file, received, 'correct the file');
  }
  if (!isObject(json)) return unreadable(file, 'JSON that is not an object', 'correct the file');
  const problems: ConfigProblem[] = [];
  const values = knownValues(schema, json, '', { file, problems });
  return { values, problems, readable: true };
}

function unreadable(file: string, received: string, action: string): FileValues {
  const expected = 'a JSON object as config/example.json';
  const problem = { path: `file ${redact(file)}`, env: null, received, expected, action };
  return { values: {}, problems: [problem], readable: false };
}

function knownValues(
  group: SettingGroup,
  found: Readonly<FileGroup>,
  prefix: string,
  report: { readonly file: string; readonly problems: ConfigProblem[] },
): FileGroup {
  const values: FileGroup = {};
  for (const [key, raw] of Object.entries(found)) {
    const path = `${prefix}${key}`;
    const entry = Object.hasOwn(group, key) ? group[key] : undefined;
    if (entry === undefined) {
      const received = `an unknown key in ${redact(report.file)}`;
      const known = settings.map((setting) => setting.path);
      report.problems.push(unknownName('key', path, received, known));
    } else if (isSetting(entry)) {
      values[key] = knownValue(path, raw, report.problems);
    } else if (isObject(raw)) {
      values[key] = knownValues(entry, raw, `${path}.`, report);
    } else {
      const keys = Object.keys(entry).join(', ');
      report.problems.push(misplaced(path, 'a single value or a list', `an object with ${keys}`));
    }
  }
  return values;
}

/**
 * Returns the raw value of a setting: an object as its JSON text, a map as its entries, because
 * convict takes an object for a group of settings.
 */
function knownValue(path: string, raw: unknown, problems: ConfigProblem[]): unknown {
  const setting = settings.find((one) => one.path === path);
  if (setting?.format.entries !== undefined && raw !== null) {
    return knownEntries(setting, raw, problems);
  }
  if (!isObject(raw)) return raw;
  if (setting?.format.flawsOf !== undefined) return JSON.stringify(raw);
  problems.push(misplaced(path, 'an object', setting?.format.expected ?? ''));
  return undefined;
}

function knownEntries(setting: NamedSetting, raw: unknown, problems: ConfigProblem[]): Entries {
  if (!isObject(raw)) {
    problems.push(
      misplaced(
        setting.path,
        'a single value or a list',
        `an object of ${setting.format.expected}`,
      ),
    );
    return {};
  }
  const placeOf = (name: string) => JSON.stringify(`${setting.path}.${name}`);
  const read = readEntries(setting, raw, placeOf);
  for (const problem of read.problems) problems.push(problem);
  return read.entries;
}

function misplaced(path: string, received: string, expected: string): ConfigProblem {
  return { path, env: null, received, expected, action: 'correct the configuration file' };
}
