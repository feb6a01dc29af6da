import { Command, Option } from 'commander';
import { describeConfig } from '../config/description.ts';
import { StopProcessError, type ExitCode } from '../engine/errors.ts';
import type { ConfigArguments } from './load.ts';
import { listenForStop } from './stop-signals.ts';

/** Every code that the program can end with; 130 and 143 are those of a second signal. */
export const allExitCodes = [0, 1, 2, 3, 4, 130, 143] as const;

type AnyExitCode = (typeof allExitCodes)[number];

/** What codes mean for one command. */
export type Exits = Readonly<Partial<Record<AnyExitCode, string>>>;

/** What every command may end with, unless it says otherwise. */
const common: Exits = {
  1: 'an error within the program',
  2: 'bad configuration or usage; nothing was done',
};

/** What a command that can be stopped may end with besides. */
export const stoppable: Exits = {
  130: 'ended at once by a second SIGINT',
  143: 'ended at once by a second SIGTERM',
};

/** The codes of a command, the common ones included, by number. */
export function exitsOf(own: Exits): readonly (readonly [code: AnyExitCode, means: string])[] {
  const all = { ...common, ...own };
  return allExitCodes.flatMap((code) => {
    const means = all[code];
    return means === undefined ? [] : [[code, means] as const];
  });
}

/** The arguments, the command's own options and the settings of one command line. */
export interface Given<Options = object> {
  readonly args: readonly string[];
  readonly options: Options & { readonly json?: boolean };
  readonly settings: ConfigArguments;
}

/** What a command's help and its page say beside its options. */
interface CommandNotes {
  /** Without the path of the command that this one is of; at least one. */
  readonly examples: readonly string[];
  /** What its exit codes mean; those that all commands have may be left out. */
  readonly exits: Exits;
  /** Which settings it takes, by the argument's name; none of a group of commands. */
  readonly settings: RegExp | null;
}

/** A command with options of its own. */
export interface CommandDefinition extends Omit<CommandNotes, 'settings'> {
  readonly usage: string;
  readonly about: string;
  /** Its own options, which its help shows before the settings. */
  readonly options?: readonly Option[];
  /** All if not given; null is none, not even `--config`. */
  readonly settings?: RegExp | null;
  /** A method, so that each command may say what its options are. */
  run(given: Given): ExitCode | Promise<ExitCode>;
}

/** A command that only has commands. */
export interface CommandGroup extends Pick<CommandDefinition, 'usage' | 'about' | 'examples'> {
  readonly commands: readonly CommandDefinition[];
}

const notes = new WeakMap<Command, CommandNotes>();

/** What a command was added with; undefined for one that was added otherwise. */
export function notesOf(command: Command): CommandNotes | undefined {
  return notes.get(command);
}

/** Adds a command, or a group of them. @param end - is given the exit code of one that was run */
export function addCommand(
  parent: Command,
  definition: CommandDefinition | CommandGroup,
  end: (code: ExitCode) => void,
): void {
  const { usage, about } = definition;
  const command = parent.command(usage).description(about);
  if ('commands' in definition) {
    const exits = { 0: 'its help was asked for', 2: 'no command of it was given' };
    annotate(command, { ...definition, exits, settings: null });
    for (const one of definition.commands) addCommand(command, one, end);
    return;
  }
  const { options = [], settings = /./ } = definition;
  for (const one of options) command.addOption(one);
  const offered = settings === null ? [] : settingOptions(settings);
  for (const one of offered) command.addOption(one);
  annotate(command, { ...definition, settings });
  command.action(async () => {
    const given = command.opts<Record<string, string | undefined>>();
    const set = offered.flatMap((one) => {
      const value = given[one.attributeName()];
      return value === undefined ? [] : [[one.name(), value] as const];
    });
    const { args } = command;
    end(await definition.run({ args, options: given, settings: Object.fromEntries(set) }));
  });
}

/** `--config`, and an option for each of these fields of the configuration that is not a secret. */
function settingOptions(wanted: RegExp): readonly Option[] {
  const fields = describeConfig().filter(({ secret, arg }) => !secret && wanted.test(arg));
  return [
    option('--config <file>', 'a JSON file of configuration'),
    ...fields.map(({ arg, doc, env }) => option(`--${arg} <value>`, `${doc} [${env}]`)),
  ].map((one) => one.helpGroup('Settings:'));
}

/** Gives a command, the program itself included, what its help ends with. */
export function annotate(command: Command, own: CommandNotes): void {
  const examples = own.examples.map((line) => `${pathOf(command.parent ?? command)} ${line}`);
  notes.set(command, { ...own, examples });
  command.addHelpText('after', () => {
    const lines = examples.map((line) => `  ${line}`);
    const codes = exitsOf(own.exits).map(([code, means]) => `  ${String(code).padEnd(5)}${means}`);
    return `\nExamples:\n${lines.join('\n')}\n\nExit codes:\n${codes.join('\n')}\n`;
  });
}

/** `instagram-kafka state get` */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** Runs `work` until it ends, or until the first SIGTERM or SIGINT, which counts as a good end. */
export async function untilStopped(
  graceMs: number,
  work: (signal: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  using stop = listenForStop(graceMs);
  try {
    return await work(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return 0;
  }
}

/** Prints a command's result: for machines when JSON was asked for, otherwise for people. */
export function print(
  isJson: boolean | undefined,
  { text, json }: { readonly text: () => string; readonly json: () => unknown },
): void {
  process.stdout.write(isJson === true ? `${JSON.stringify(json(), null, 2)}\n` : text());
}

/** An option; `parse` reads its text, and may refuse it. */
export function option(flags: string, about: string, parse?: (text: string) => unknown): Option {
  const made = new Option(flags, about);
  return parse === undefined ? made : made.argParser(parse);
}

/** Reads a whole number from 1 on. @throws StopProcessError `config.invalid` */
export const count =
  (name: string) =>
  (text: string): number => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    return number > 0 ? number : refuse(name, 'a whole number from 1 on, such as 10', text);
  };

/** Reads seconds, up to an hour. @throws StopProcessError `config.invalid` */
export const seconds =
  (name: string) =>
  (text: string): number => {
    const number = count(name)(text);
    return number <= 3600 ? number : refuse(name, 'seconds, 3600 at most', text);
  };

/** Account ids, separated by commas. @throws StopProcessError `config.invalid` */
export function accountIds(text: string): readonly string[] {
  const ids = text.split(',');
  if (ids.every((id) => /^\d+$/.test(id))) return ids;
  return refuse('--account', 'account ids, digits such as 17841400000000001', text);
}

/** @throws StopProcessError `config.invalid` */
export function refuse(name: string, expected: string, came: string): never {
  throw usage(`${name} "${came.slice(0, 60)}": expected ${expected}`);
}

/** An error of usage. */
export function usage(message: string): StopProcessError {
  return new StopProcessError('config.invalid', message, { exitCode: 2 });
}
