/**
 * `npm run verify:recordings -- FILE.ndjson…`: sends the simulator the recorded requests of the
 * real API and compares the answers. A line an exchange; `N passed, N failed` last; exit 1 on a
 * difference, 2 without a file.
 */
import { readRecording } from './graph-api/recorded-world.ts';
import { verifyRecording } from './recordings/verify.ts';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('no recording was named; usage: npm run verify:recordings -- FILE.ndjson…');
  process.exit(2);
}
let passed = 0;
let failed = 0;
for (const file of files) {
  for (const { request, differences } of await verifyRecording(await readRecording(file))) {
    const same = differences.length === 0;
    console.log(`${same ? 'ok    ' : 'FAILED'} ${request}`);
    for (const difference of differences) console.log(`         ${difference}`);
    if (same) passed += 1;
    else failed += 1;
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
