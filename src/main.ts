#!/usr/bin/env node
import { createProgram } from './cli/program.ts';
import { describeError, exitCodeOf } from './cli/outcome.ts';

try {
  process.exitCode = await createProgram().parse(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = exitCodeOf(error);
}
// A socket that a library forgot must not hold a process that has said its last word.
setTimeout(() => process.exit(), 2000).unref();
