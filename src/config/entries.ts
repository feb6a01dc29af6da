import type { ConfigProblem } from './config-error.ts';
import type { NamedSetting } from './setting.ts';
import { nearestName } from '../engine/nearest-name.ts';
import { showName, showValue } from './redaction.ts';

/** The values of a field that is a map, by the names of its entries. */
export type Entries = Readonly<Record<string, string>>;

/** The valid entries of a map, and the problems of the others. */
interface ReadEntries {
  readonly entries: Entries;
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads the entries that a source gives for a map.
 * @param placeOf - returns the name by which the source sets an entry
 */
export function readEntries(
  setting: NamedSetting,
  given: Readonly<Record<string, unknown>>,
  placeOf: (name: string) => string,
): ReadEntries {
  const entries: Record<string, string> = {};
  const problems: ConfigProblem[] = [];
  for (const [name, raw] of Object.entries(given)) {
    const format = setting.format.entries?.formatOf(name);
    const value = format?.parse(raw, 0);
    if (value !== undefined) entries[name] = value;
    else if (format === undefined) problems.push(unknownEntry(setting, name, placeOf));
    else {
      const place = placeOf(name);
      const env = place === variableOf(setting, name) ? place : null;
      const [received, expected] = [showValue(raw, false), format.expected];
      problems.push({
        path: `${setting.path}.${name}`,
        env,
        received,
        expected,
        action: `correct ${place}`,
      });
    }
  }
  return { entries, problems };
}

function unknownEntry(
  { path, format: { entries } }: NamedSetting,
  name: string,
  placeOf: (name: string) => string,
): ConfigProblem {
  const nearest = nearestName(name, entries?.known ?? []);
  const suggestion = nearest === undefined ? '' : `; did you mean ${placeOf(nearest)}?`;
  return {
    path: showName(placeOf(name).replaceAll('"', '')),
    env: null,
    received: `the unknown name ${showName(name)} in ${path}`,
    expected: entries?.noun ?? '',
    action: `remove or correct it${suggestion}`,
  };
}

/** The beginning of the variables of a map's entries. */
function prefixOf({ env, format: { entries } }: NamedSetting): string {
  return env.slice(0, -`<${entries?.placeholder ?? ''}>`.length);
}

function variableOf(setting: NamedSetting, name: string): string {
  return `${prefixOf(setting)}${name.toUpperCase().replaceAll('.', '_')}`;
}

/** Reads the variables of a map's entries; undefined without any. */
export function readVariables(
  setting: NamedSetting,
  env: NodeJS.ProcessEnv,
): ReadEntries | undefined {
  const { entries } = setting.format;
  const given = Object.entries(env).flatMap(([variable, text]) =>
    isOfEntry(setting, variable) && text !== undefined && entries !== undefined
      ? [[entries.nameOf(variable.slice(prefixOf(setting).length)), text] as const]
      : [],
  );
  if (given.length === 0) return undefined;
  return readEntries(setting, Object.fromEntries(given), (name) => variableOf(setting, name));
}

/** True for a variable that begins as those of the map's entries. */
export function isOfEntry(setting: NamedSetting, variable: string): boolean {
  return setting.format.entries !== undefined && variable.startsWith(prefixOf(setting));
}

/** Reads the entries of an argument: `name=value`, separated by spaces. */
export function readPairs(setting: NamedSetting, text: string): ReadEntries {
  const pairs = text.split(/\s+/).filter(Boolean);
  const given = pairs.map((pair) => {
    const end = pair.indexOf('=');
    return end < 0 ? [pair, ''] : [pair.slice(0, end), pair.slice(end + 1)];
  });
  const placeOf = (name: string) => `--${setting.arg}=${name}`;
  return readEntries(setting, Object.fromEntries(given) as Entries, placeOf);
}
