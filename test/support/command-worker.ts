/**
 * Runs commands of the program one after another in one process, forked by `command.ts`. Starting a
 * process and loading the program takes ten times as long as most commands.
 */
import { PassThrough } from 'node:stream';
import { runProgram } from '../../src/cli/program.ts';
import type { WorkerMessage } from './command.ts';

/** The command that runs now: its standard input, and the delimiter that identifies it. */
let running = { stdin: new PassThrough(), delimiter: '' };

process.on('message', (message: WorkerMessage) => {
  if (!('input' in message)) void run(message);
  else if (message.delimiter === running.delimiter) running.stdin.end(message.input);
});
process.on('disconnect', () => process.exit());

async function run({
  args,
  env,
  delimiter,
}: Exclude<WorkerMessage, { input: string }>): Promise<void> {
  const stdin = new PassThrough();
  running = { stdin, delimiter };
  Object.defineProperty(process, 'stdin', { value: stdin, configurable: true });
  process.env = { ...env };
  const exitCode = await runProgram(args);
  process.stdout.write(delimiter);
  process.stderr.write(delimiter);
  process.send?.(exitCode);
}
