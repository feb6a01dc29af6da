#!/usr/bin/env node
/**
 * The program of the npm package. An older Node cannot load the program, and would name a missing
 * export instead of its version; plain JavaScript, for any Node.
 */
const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 24 || (major === 24 && minor >= 12)) {
  await import('../dist/main.js');
} else {
  process.stderr.write(
    `instagram-kafka runs on Node 24.12 or newer; this is Node ${process.versions.node} (${process.execPath}): install a newer one\n`,
  );
  process.exitCode = 2;
}
