import { Option } from 'commander';
import type { Command } from 'commander';
import { describeConfig } from '../config/description.ts';
import type { ConfigArguments } from './load.ts';

/** Which fields a command takes, and under what heading its help shows them. */
interface Scope {
  readonly wanted: (argument: string) => boolean;
  readonly heading: string;
}

const everything: Scope = { wanted: () => true, heading: 'Options:' };

/** Adds `--config` and an option for each field of the configuration that is not a secret. */
export function addConfigOptions(command: Command, { wanted, heading } = everything): Command {
  const fields = describeConfig().filter(({ secret, arg }) => !secret && wanted(arg));
  const options = [
    new Option('--config <file>', 'a JSON file of configuration'),
    ...fields.map(({ arg, doc, env }) => new Option(`--${arg} <value>`, `${doc} [${env}]`)),
  ];
  for (const option of options) command.addOption(option.helpGroup(heading));
  return command;
}

/** Commander's camelCase back to the arguments' own names. */
export function byArgument(options: Readonly<Record<string, string>>): ConfigArguments {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replaceAll(/[A-Z0-9]+/g, (part) => `-${part.toLowerCase()}`),
      value,
    ]),
  );
}
