import { Command, CommanderError } from 'commander';
import type { ExitCode } from '../engine/errors.ts';
import { backfillCommand } from './backfill.ts';
import { checkCommand } from './check/command.ts';
import { addCommand, annotate } from './command.ts';
import { configCommand } from './config.ts';
import { dryRunCommand } from './dry-run.ts';
import { forgetCommand } from './forget/command.ts';
import { loginCommand } from './login.ts';
import { healthCommand } from './health.ts';
import { readVersion } from './context.ts';
import { onceCommand } from './once.ts';
import { planCommand } from './plan.ts';
import { recordCommand } from './record.ts';
import { runCommand } from './run.ts';
import { schemasCommands } from './schemas.ts';
import { sandboxCommand } from './sandbox.ts';
import { stateCommands } from './state/command.ts';
import { statusCommand } from './status.ts';
import { streamsCommand } from './streams.ts';
import { tailCommand } from './tail.ts';
import { tokenCommands } from './token/command.ts';
import { webhookCommands } from './webhooks.ts';

/** The commands, in the order of the help. */
const commands = [
  runCommand,
  onceCommand,
  checkCommand,
  dryRunCommand,
  recordCommand,
  healthCommand,
  statusCommand,
  streamsCommand,
  planCommand,
  configCommand,
  schemasCommands,
  stateCommands,
  backfillCommand,
  forgetCommand,
  tailCommand,
  tokenCommands,
  loginCommand,
  webhookCommands,
  sandboxCommand,
];

/** Creates the command line: `parse` runs a command, `root` is for generators of documentation. */
export function createProgram() {
  let exitCode: ExitCode = 0;
  const root = new Command('instagram-kafka')
    .description('Publishes Instagram Graph API data to Kafka, exactly once.')
    .version(readVersion())
    .configureOutput({
      outputError: (text, write) => {
        write(withoutValues(text));
      },
    })
    .exitOverride();
  annotate(root, {
    examples: ['run --config instagram.json', 'once --streams media', 'run --help'],
    exits: { 0: 'help or version printed', 2: 'no command was given' },
    settings: null,
  });
  const onEnd = (code: ExitCode): void => {
    exitCode = code;
  };
  for (const command of commands) addCommand(root, command, onEnd);
  return {
    root,
    async parse(args: readonly string[]): Promise<ExitCode> {
      try {
        await root.parseAsync([...args], { from: 'user' });
      } catch (error) {
        if (!(error instanceof CommanderError)) throw error;
        // Commander has printed its help or its error already.
        return error.exitCode === 0 ? 0 : 2;
      }
      return exitCode;
    },
  };
}

/** Removes the value from an error about `--option=value`, which may be a secret (Invariant 9). */
function withoutValues(message: string): string {
  return message.replaceAll(/(--[\w-]+)=[^']*/g, '$1');
}
