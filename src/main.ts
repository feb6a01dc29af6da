#!/usr/bin/env node
import { createProgram } from './cli/program.ts';
import { printableLines } from './engine/printable.ts';
import { describeError, exitCodeOf } from './cli/outcome.ts';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever reads has seen enough, as `| head` has.
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

try {
  process.exitCode = await createProgram().parse(process.argv.slice(2));
} catch (error) {
  // The message may hold text that came from outside.
  process.stderr.write(`${printableLines(describeError(error))}\n`);
  process.exitCode = exitCodeOf(error);
}
// A socket that a library forgot must not hold a process that has said its last word.
setTimeout(() => process.exit(), 2000).unref();
