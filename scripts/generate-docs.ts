/**
 * Writes the generated pages of docs/. With `--check` writes nothing and exits 1 when one is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { renderAsyncApi } from './asyncapi.ts';
import { renderCommandsPage } from './commands-page.ts';
import { renderConfigurationPage } from './configuration-page.ts';
import { renderStreamsPage } from './streams-page.ts';

interface GeneratedDocument {
  /** Path from the project's root. */
  readonly file: string;
  render(): string;
}

const documents: readonly GeneratedDocument[] = [
  { file: 'docs/asyncapi.json', render: renderAsyncApi },
  { file: 'docs/commands.md', render: renderCommandsPage },
  { file: 'docs/configuration.md', render: renderConfigurationPage },
  { file: 'docs/streams.md', render: renderStreamsPage },
];

const check = process.argv.includes('--check');
for (const document of documents) {
  const path = fileURLToPath(new URL(`../${document.file}`, import.meta.url));
  const wanted = await formatted(path, document.render());
  if (readIfThere(path) === wanted) continue;
  if (check) {
    console.error(`${document.file} is stale: run "npm run docs" and commit the result`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, wanted);
    console.log(`${document.file} written`);
  }
}

/** A page as prettier writes it: prose is wrapped. */
async function formatted(path: string, text: string): Promise<string> {
  return await format(text, { ...(await resolveConfig(path)), filepath: path });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
