import { Command, CommanderError } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import { addConfigCommand } from './config.ts';
import { addConfigOptions, byArgument } from './config-options.ts';
import { checkHealth } from './health.ts';
import type { ConfigArguments } from './load.ts';
import { readVersion } from './load.ts';
import { once } from './once.ts';
import { run } from './run.ts';
import { addStateCommand } from './state/command.ts';
import { addStreamsCommand } from './streams.ts';

/** The command line. */
export interface Program {
  /** Runs the command in `args` and gives its exit code. */
  parse(args: readonly string[]): Promise<ExitCode>;
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
  const add = (name: string, about: string, act: (args: ConfigArguments) => Promise<ExitCode>) => {
    addConfigOptions(root.command(name).description(about)).action(
      async (options: Record<string, string>) => {
        exitCode = await act(byArgument(options));
      },
    );
  };
  add('run', 'poll every enabled stream on its interval, until SIGTERM or SIGINT', run);
  add('once', 'poll every enabled stream once and exit', once);
  const end = (code: ExitCode): void => {
    exitCode = code;
  };
  for (const addCommand of [
    addHealthCommand,
    addStreamsCommand,
    addConfigCommand,
    addStateCommand,
  ]) {
    addCommand(root, end);
  }
  return {
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

function addHealthCommand(root: Command, end: (code: ExitCode) => void): void {
  root
    .command('health')
    .description('ask a running instance whether it lives (for a container HEALTHCHECK)')
    .option(
      '--url <url>',
      'what to ask',
      `http://127.0.0.1:${process.env['HTTP_PORT'] ?? '8080'}/livez`,
    )
    .action(async ({ url }: { url: string }) => {
      const { ok, detail } = await checkHealth(url, 3000);
      process.stdout.write(`${detail}\n`);
      end(ok ? 0 : 1);
    });
}

/** A complaint about `--option=value` without the value, which may be a secret (Invariant 9). */
function withoutValues(complaint: string): string {
  return complaint.replaceAll(/(--[\w-]+)=[^']*/g, '$1');
}
