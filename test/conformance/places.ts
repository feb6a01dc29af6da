import { type Json, type Node, isNode } from '../../src/engine/json.ts';

/** One value inside a node. */
export interface Place {
  /** The keys from the node to the value. */
  readonly steps: readonly (string | number)[];
  /** The path as errors name it, without the `data` of an expanded edge. */
  readonly path: string;
  readonly value: Json;
}

/** Every value inside a node, the objects and lists included, depth first. */
export function placesOf(node: Node): readonly Place[] {
  return inside(node, []);
}

function inside(value: Json, steps: Place['steps']): readonly Place[] {
  const entries: (readonly [string | number, Json])[] = Array.isArray(value)
    ? (value as readonly Json[]).map((item, index) => [index, item])
    : isNode(value)
      ? Object.entries(value)
      : [];
  return entries.flatMap(([step, item]) => {
    const here = [...steps, step];
    return [{ steps: here, path: nameOf(here), value: item }, ...inside(item, here)];
  });
}

function nameOf(steps: Place['steps']): string {
  return steps
    .filter((step) => step !== 'data')
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .slice(1);
}

/** A copy as HTTP would deliver it: no two places share an object, which `structuredClone` would keep. */
function copyOf(node: Node): Node {
  return JSON.parse(JSON.stringify(node)) as Node;
}

/** A copy of the node without the innermost list entry that a place is in. */
export function withoutEntry(node: Node, { steps }: Place): Node {
  const depth = steps.findLastIndex((step) => typeof step === 'number');
  const copy = copyOf(node);
  const list = steps
    .slice(0, depth)
    .reduce<Json>((value, step) => (value as Record<string | number, Json>)[step] ?? null, copy);
  (list as Json[]).splice(Number(steps[depth]), 1);
  return copy;
}

/** A copy of the node with another value at the place; without it when there is none. */
export function withValue(node: Node, { steps }: Place, value: Json | undefined): Node {
  const copy = copyOf(node);
  let parent = copy as Record<string | number, Json>;
  for (const step of steps.slice(0, -1)) parent = parent[step] as typeof parent;
  const last = steps.at(-1) ?? '';
  if (value === undefined) Reflect.deleteProperty(parent, last);
  else parent[last] = value;
  return copy;
}
