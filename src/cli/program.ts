import { Command, CommanderError } from 'commander';
import type { ExitCode } from '../engine/errors.ts';
import { printableLines } from '../engine/printable.ts';
import {
  addCommand,
  annotate,
  type CommandDefinition,
  type CommandGroup,
  describeError,
  exitCodeOf,
} from './command.ts';
import { readVersion } from './version.ts';

/** The loader of each command, in the order of the help. */
const commands: Readonly<Record<string, () => Promise<CommandDefinition | CommandGroup>>> = {
  run: async () => (await import('./run.ts')).runCommand,
  once: async () => (await import('./once.ts')).onceCommand,
  check: async () => (await import('./check/command.ts')).checkCommand,
  'dry-run': async () => (await import('./dry-run.ts')).dryRunCommand,
  record: async () => (await import('./record.ts')).recordCommand,
  health: async () => (await import('./health.ts')).healthCommand,
  status: async () => (await import('./status.ts')).statusCommand,
  streams: async () => (await import('./streams.ts')).streamsCommand,
  plan: async () => (await import('./plan.ts')).planCommand,
  config: async () => (await import('./config.ts')).configCommand,
  schemas: async () => (await import('./schemas.ts')).schemasCommands,
  state: async () => (await import('./state/command.ts')).stateCommands,
  backfill: async () => (await import('./backfill.ts')).backfillCommand,
  forget: async () => (await import('./forget/command.ts')).forgetCommand,
  tail: async () => (await import('./tail.ts')).tailCommand,
  token: async () => (await import('./token/command.ts')).tokenCommands,
  login: async () => (await import('./login.ts')).loginCommand,
  webhooks: async () => (await import('./webhooks.ts')).webhookCommands,
  sandbox: async () => (await import('./sandbox.ts')).sandboxCommand,
};

/**
 * Loads the command of a name, or all when there is none of that name. A container runs `health`
 * every half minute: without the modules of the others it takes a third of the CPU time.
 */
export async function loadCommands(
  name = '',
): Promise<readonly (CommandDefinition | CommandGroup)[]> {
  const one = Object.hasOwn(commands, name) ? commands[name] : undefined;
  return one === undefined
    ? Promise.all(Object.values(commands).map((load) => load()))
    : [await one()];
}

/** Creates the command line: `parse` runs a command, `root` is for generators of documentation. */
export function createProgram(definitions: Awaited<ReturnType<typeof loadCommands>>) {
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
  for (const definition of definitions) addCommand(root, definition, onEnd);
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

/** Runs the command of a command line, and prints its error to stderr. Never rejects. */
export async function runProgram(args: readonly string[]): Promise<ExitCode> {
  try {
    return await createProgram(await loadCommands(args[0])).parse(args);
  } catch (error) {
    // The message may contain text from outside the program.
    process.stderr.write(`${printableLines(describeError(error))}\n`);
    return exitCodeOf(error);
  }
}

/** Removes the value from an error about `--option=value`, which may be a secret (Invariant 9). */
function withoutValues(message: string): string {
  return message.replaceAll(/(--[\w-]+)=[^']*/g, '$1');
}
