import { Command } from 'commander';
import { addConfigOptions, byArgument } from './config-options.ts';
import type { Exits } from './exit-codes.ts';
import { exitsOf } from './exit-codes.ts';
import type { ConfigArguments } from './load.ts';

/** What a command line gave: a command's own options and settings of the configuration. */
export type Options = Readonly<Record<string, string | boolean | undefined>>;

/** What a command's help and its page say beside its options. */
export interface CommandNotes {
  /** Without the path of the command that this one is of; at least one. */
  readonly examples: readonly string[];
  /** What its exit codes mean; those that all commands have may be left out. */
  readonly exits: Exits;
  /** Which settings it takes, by the argument's name; none of a group of commands. */
  readonly settings: RegExp | null;
}

/** A command with options of its own. */
export interface OwnCommand extends Omit<CommandNotes, 'settings'> {
  readonly usage: string;
  readonly about: string;
  /** Adds its own options, which its help shows before the settings. */
  readonly options?: (command: Command) => Command;
  /** All if not given; null is none, not even `--config`. */
  readonly settings?: RegExp | null;
}

const notes = new WeakMap<Command, CommandNotes>();

/** What a command was added with; undefined for one that was added otherwise. */
export function notesOf(command: Command): CommandNotes | undefined {
  return notes.get(command);
}

/** Adds a command with its examples, exit codes, own options and the settings that it takes. */
export function addOwnCommand(root: Command, own: OwnCommand): Command {
  const { settings = /./, options = (command: Command) => command } = own;
  const command = options(root.command(own.usage).description(own.about));
  if (settings !== null) {
    addConfigOptions(command, {
      wanted: (argument) => settings.test(argument),
      heading: 'Settings:',
    });
  }
  return annotate(command, { ...own, settings });
}

/** Adds a command that only has commands. */
export function addCommandGroup(
  root: Command,
  own: Pick<OwnCommand, 'usage' | 'about' | 'examples'>,
): Command {
  const group = root.command(own.usage).description(own.about);
  const exits = { 0: 'its help was asked for', 2: 'no command of it was given' };
  return annotate(group, { ...own, exits, settings: null });
}

/** Gives a command, the program itself included, what its help ends with. */
export function annotate(command: Command, own: CommandNotes): Command {
  const { exits } = own;
  const examples = own.examples.map((line) => `${pathOf(command.parent ?? command)} ${line}`);
  notes.set(command, { ...own, examples });
  return command.addHelpText('after', () => {
    const lines = examples.map((line) => `  ${line}`);
    const codes = exitsOf(exits).map(([code, means]) => `  ${String(code).padEnd(5)}${means}`);
    return `\nExamples:\n${lines.join('\n')}\n\nExit codes:\n${codes.join('\n')}\n`;
  });
}

/** `instagram-kafka state get` */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** The settings of the configuration among the options: all that are not the command's own. */
export function settingsOf(options: Options, own: readonly string[]): ConfigArguments {
  const settings = Object.entries(options).filter(([name]) => !own.includes(name));
  return byArgument(Object.fromEntries(settings) as Record<string, string>);
}
