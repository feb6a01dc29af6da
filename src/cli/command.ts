import { Command, Option } from 'commander';
import { describeConfig } from '../config/description.ts';
import { isClassifiedError, StopProcessError, type ExitCode } from '../engine/errors.ts';
import { parseGraphTime } from '../instagram/model/graph-time.ts';
import type { ConfigArguments } from './context.ts';
import { listenForStop } from './stop-signals.ts';

/** Every exit code of the program; 130 and 143 are those of a second signal. */
export const allExitCodes = [0, 1, 2, 3, 4, 130, 143] as const;

type AnyExitCode = (typeof allExitCodes)[number];

/** Meanings of exit codes for one command. */
type Exits = Readonly<Partial<Record<AnyExitCode, string>>>;

/** Exit codes of every command, unless it overrides them. */
const common: Exits = {
  1: 'an error within the program',
  2: 'bad configuration or usage; nothing was done',
};

/** Exit codes of every command that takes time. */
const ofSignals: Exits = {
  130: 'ended at once by a second SIGINT',
  143: 'ended at once by a second SIGTERM',
};

export function exitsOf(own: Exits): readonly (readonly [code: AnyExitCode, means: string])[] {
  const all = { ...common, ...own };
  return allExitCodes.flatMap((code) => (all[code] === undefined ? [] : [[code, all[code]]]));
}

/** The parsed command line: arguments, the command's own options and settings. */
export interface Invocation<Options = object> {
  readonly args: readonly string[];
  readonly options: Options & { readonly json?: boolean };
  readonly settings: ConfigArguments;
}

/** Content of a command's help and page besides its options. */
interface CommandNotes {
  /** Examples without the path of the parent command; at least one. */
  readonly examples: readonly string[];
  /** Meanings of its exit codes; the common ones may be left out. */
  readonly exits: Exits;
  /** Pattern of the settings it accepts, by argument name; null for a group of commands. */
  readonly settings: RegExp | null;
}

/** An option; `parse` reads its value and may reject it. */
export type OptionRow = readonly [flags: string, about: string, parse?: (text: string) => unknown];

export interface CommandDefinition extends Omit<CommandNotes, 'settings'> {
  readonly usage: string;
  readonly about: string;
  /** True when no signal stops it, so that it has no exit codes of signals. */
  readonly isInstant?: boolean;
  /** Its own options; its help shows them before the settings. */
  readonly options?: readonly (OptionRow | Option)[];
  /** Pattern of the settings it accepts. Absent: all of them; null: none, not even `--config`. */
  readonly settings?: RegExp | null;
  /** A method, so that each command may narrow the type of its options. */
  run(invocation: Invocation): ExitCode | Promise<ExitCode>;
}

/** A command that only has subcommands. */
export interface CommandGroup extends Pick<CommandDefinition, 'usage' | 'about' | 'examples'> {
  readonly commands: readonly CommandDefinition[];
}

const notes = new WeakMap<Command, CommandNotes>();

export const notesOf = (command: Command): CommandNotes | undefined => notes.get(command);

/** Adds a command or a group; `onEnd` receives the exit code of the executed command. */
export function addCommand(
  parent: Command,
  definition: CommandDefinition | CommandGroup,
  onEnd: (code: ExitCode) => void,
): void {
  const { usage, about } = definition;
  const command = parent.command(usage).description(about);
  if ('commands' in definition) {
    const exits = { 0: 'help printed', 2: 'no subcommand was given' };
    annotate(command, { ...definition, exits, settings: null });
    for (const one of definition.commands) addCommand(command, one, onEnd);
    return;
  }
  const { options = [], settings: pattern = /./, isInstant = false } = definition;
  const offered = pattern === null ? [] : settingOptions(pattern);
  const own = options.map((one) => (one instanceof Option ? one : createOption(one)));
  for (const one of [...own, ...offered]) command.addOption(one);
  const exits = { ...definition.exits, ...(!isInstant && ofSignals) };
  annotate(command, { ...definition, exits, settings: pattern });
  command.action(async () => {
    const values = command.opts<Record<string, string | undefined>>();
    const settings: Record<string, string> = {};
    for (const one of offered) {
      const value = values[one.attributeName()];
      if (value !== undefined) settings[one.name()] = value;
    }
    onEnd(await definition.run({ args: command.args, options: values, settings }));
  });
}

/** Creates `--config` and an option for each matching configuration field that is no secret. */
function settingOptions(pattern: RegExp): readonly Option[] {
  const fields = describeConfig().filter(({ secret, arg }) => !secret && pattern.test(arg));
  return [
    new Option('--config <file>', 'a JSON configuration file'),
    ...fields.map(({ arg, doc, env }) => new Option(`--${arg} <value>`, `${doc} [${env}]`)),
  ].map((one) => one.helpGroup('Settings:'));
}

/** Adds examples and exit codes to the help of a command, the program itself included. */
export function annotate(command: Command, own: CommandNotes): void {
  const examples = own.examples.map((line) => `${pathOf(command.parent ?? command)} ${line}`);
  notes.set(command, { ...own, examples });
  command.addHelpText('after', () => {
    const lines = examples.map((line) => `  ${line}`);
    const codes = exitsOf(own.exits).map(([code, means]) => `  ${String(code).padEnd(5)}${means}`);
    return `\nExamples:\n${lines.join('\n')}\n\nExit codes:\n${codes.join('\n')}\n`;
  });
}

/** Returns the full name of a command, such as `instagram-kafka state get`. */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** A result for a person, and for machines. */
export interface Printed {
  readonly text: () => string;
  readonly json: () => unknown;
}

/** Runs `task` until it ends, or until the first SIGTERM or SIGINT, which counts as success. */
export async function untilStopped(
  graceMs: number,
  task: (signal: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  using stop = listenForStop(graceMs);
  try {
    return await task(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return 0;
  }
}

export function print(isJson: boolean | undefined, { text, json }: Printed): void {
  process.stdout.write(isJson === true ? jsonText(json()) : text());
}

/** Formats a value as indented JSON with a line break at its end. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function createOption([flags, about, parse]: OptionRow): Option {
  const option = new Option(flags, about);
  return parse === undefined ? option : option.argParser(parse);
}

/** Parses a whole number of a range. @throws StopProcessError `config.invalid` */
export function parseCount(
  name: string,
  text: string,
  { least = 1, most }: { readonly least?: number; readonly most?: number } = {},
): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (number >= least && number <= (most ?? Infinity)) return number;
  const end = most === undefined ? 'on' : `to ${most}`;
  return reject(name, `a whole number from ${least} ${end}, such as 10`, text);
}

export const parseLimit = (text: string): number => parseCount('--limit', text);

/** Parses account ids that commas separate. @throws StopProcessError `config.invalid` */
export function accountIds(text: string): readonly string[] {
  const ids = text.split(',');
  if (ids.every((id) => /^\d+$/.test(id))) return ids;
  return reject('--account', 'account ids, digits such as 17841400000000001', text);
}

/** Parses a day (its midnight in UTC) or a time with its offset; undefined for other text. */
export function parseTime(text: string): number | undefined {
  return parseGraphTime(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
}

/** @throws StopProcessError `config.invalid` */
export function reject(name: string, expected: string, actual: string): never {
  throw usage(`${name} "${actual.slice(0, 60)}": expected ${expected}`);
}

export function usage(message: string): StopProcessError {
  return new StopProcessError('config.invalid', message, { exitCode: 2 });
}

export function exitCodeOf(error: unknown): ExitCode {
  if (!isClassifiedError(error)) return 1;
  return error.disposition === 'stop-process' ? error.exitCode : 3;
}

/** Formats an error for a person: code and message; the stack only for a bug. */
export function describeError(error: unknown): string {
  if (isClassifiedError(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
