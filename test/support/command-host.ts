/**
 * Runs commands of the program one after another in one process, forked by `command.ts`. Starting a
 * process and loading the program takes ten times as long as most commands.
 */
import { PassThrough } from 'node:stream';
import { runProgram } from '../../src/cli/program.ts';
import type { HostMessage } from './command.ts';

/** The standard input of the running command, and the command's mark. */
let running = { stdin: new PassThrough(), mark: '' };

process.on('message', (message: HostMessage) => {
  if (!('input' in message)) void run(message);
  else if (message.mark === running.mark) running.stdin.end(message.input);
});
process.on('disconnect', () => process.exit());

async function run({ args, env, mark }: Exclude<HostMessage, { input: string }>): Promise<void> {
  const stdin = new PassThrough();
  running = { stdin, mark };
  Object.defineProperty(process, 'stdin', { value: stdin, configurable: true });
  process.env = { ...env };
  const exitCode = await runProgram(args);
  // What follows the mark on each stream belongs to the next command.
  process.stdout.write(mark);
  process.stderr.write(mark);
  process.send?.(exitCode);
}
