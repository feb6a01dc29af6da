#!/usr/bin/env node
import { createProgram, loadCommands } from './cli/program.ts';
import { printableLines } from './engine/printable.ts';
import { describeError, exitCodeOf } from './cli/command.ts';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader closed the pipe, as `| head` does.
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

try {
  const args = process.argv.slice(2);
  process.exitCode = await createProgram(await loadCommands(args[0])).parse(args);
} catch (error) {
  // The message may contain text from outside the program.
  process.stderr.write(`${printableLines(describeError(error))}\n`);
  process.exitCode = exitCodeOf(error);
}
// A socket left open by a library must not keep the finished process alive.
setTimeout(() => process.exit(), 2000).unref();
