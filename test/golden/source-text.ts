import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';

const src = new URL('../../src/', import.meta.url);

/** Every node of the syntax of every file of `src/`, wherever the file lies. */
export function* sourceNodes(): Generator<ts.Node> {
  for (const name of readdirSync(src, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!name.endsWith('.ts')) continue;
    const text = readFileSync(new URL(name, src), 'utf8');
    yield* withChildren(ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true));
  }
}

function* withChildren(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* withChildren(child);
}
