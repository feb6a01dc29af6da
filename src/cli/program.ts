import { Command, CommanderError } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import { addBackfillCommand } from './backfill.ts';
import { addCheckCommand } from './check/command.ts';
import { addConfigCommand } from './config.ts';
import { addDryRunCommand } from './dry-run.ts';
import { addLoginCommand } from './login.ts';
import { addHealthCommand } from './health.ts';
import { readVersion } from './load.ts';
import { addOnceCommand } from './once.ts';
import { annotate } from './own-options.ts';
import { addRunCommand } from './run.ts';
import { addSchemasCommand } from './schemas.ts';
import { addSandboxCommand } from './sandbox.ts';
import { addStateCommand } from './state/command.ts';
import { addStreamsCommand } from './streams.ts';
import { addTailCommand } from './tail.ts';
import { addTokenCommand } from './token/command.ts';

/** The command line. */
export interface Program {
  /** Runs the command in `args` and gives its exit code. */
  parse(args: readonly string[]): Promise<ExitCode>;
  /** All commands, for those who describe them. */
  readonly root: Command;
}

/** Builds the command line: one command a file beside this one. */
export function createProgram(): Program {
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
    exits: { 0: 'its help or its version was asked for', 2: 'no command was given' },
    settings: null,
  });
  const end = (code: ExitCode): void => {
    exitCode = code;
  };
  for (const addCommand of [
    addRunCommand,
    addOnceCommand,
    addCheckCommand,
    addDryRunCommand,
    addHealthCommand,
    addStreamsCommand,
    addConfigCommand,
    addSchemasCommand,
    addStateCommand,
    addBackfillCommand,
    addTailCommand,
    addTokenCommand,
    addLoginCommand,
    addSandboxCommand,
  ]) {
    addCommand(root, end);
  }
  return {
    root,
    async parse(args) {
      try {
        await root.parseAsync([...args], { from: 'user' });
      } catch (error) {
        if (!(error instanceof CommanderError)) throw error;
        // Commander has printed its help or its complaint by now.
        return error.exitCode === 0 ? 0 : 2;
      }
      return exitCode;
    },
  };
}

/** A complaint about `--option=value` without the value, which may be a secret (Invariant 9). */
function withoutValues(complaint: string): string {
  return complaint.replaceAll(/(--[\w-]+)=[^']*/g, '$1');
}
