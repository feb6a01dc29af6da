import { Command } from 'commander';
import type { ConfigArguments } from './load.ts';
import { addConfigOptions, byArgument } from './config-options.ts';

/** What a command line gave: a command's own options and settings of the configuration. */
export type Options = Readonly<Record<string, string | boolean | undefined>>;

/** A command with options of its own. */
export interface OwnCommand {
  readonly usage: string;
  readonly about: string;
  /** Lines of its help, without the program's name. */
  readonly examples: readonly string[];
  /** Adds its own options, which its help shows before the settings. */
  readonly options?: (command: Command) => Command;
  /** Which settings it takes, by the argument's name; all if not given. */
  readonly settings?: RegExp;
}

/** Adds a command with its examples, its own options and the settings that it takes. */
export function addOwnCommand(root: Command, own: OwnCommand): Command {
  const { settings = /./, options = (command: Command) => command } = own;
  const command = options(root.command(own.usage).description(own.about));
  const path = pathOf(root);
  return addConfigOptions(command, {
    wanted: (argument) => settings.test(argument),
    heading: 'Settings:',
  }).addHelpText(
    'after',
    `\nExamples:\n${own.examples.map((line) => `  ${path} ${line}`).join('\n')}\n`,
  );
}

/** `instagram-kafka schemas` */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** The settings of the configuration among the options: all that are not the command's own. */
export function settingsOf(options: Options, own: readonly string[]): ConfigArguments {
  const settings = Object.entries(options).filter(([name]) => !own.includes(name));
  return byArgument(Object.fromEntries(settings) as Record<string, string>);
}
