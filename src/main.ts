#!/usr/bin/env node
import { runProgram } from './cli/program.ts';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader closed the pipe, as `| head` does.
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

process.exitCode = await runProgram(process.argv.slice(2));
// A socket left open by a library must not keep the finished process alive.
setTimeout(() => process.exit(), 2000).unref();
