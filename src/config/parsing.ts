import type { Problem } from './config-error.ts';
import type { PlacedLeaf } from './leaf.ts';
import { mergeSources, type MergeSources } from './merge.ts';
import { showValue } from './redaction.ts';
import { schema } from './schema.ts';

/** The typed values by path, without those that were refused, and why they were. */
export interface ParsedLeaves {
  readonly values: ReadonlyMap<string, unknown>;
  readonly problems: readonly Problem[];
  /** Of the problems, those of fields that nobody set. */
  readonly missing: ReadonlySet<Problem>;
}

/** Merges the sources and parses every field by its format. */
export function parseLeaves(
  leaves: readonly PlacedLeaf[],
  sources: MergeSources,
  nowMs: number,
): ParsedLeaves {
  const raws = mergeSources(schema, sources);
  const values = new Map<string, unknown>();
  const problems: Problem[] = [];
  const missing = new Set<Problem>();
  for (const leaf of leaves) {
    const raw = raws.get(leaf.path);
    const parsed = leaf.format.parse(raw, nowMs);
    if (parsed.ok) {
      values.set(leaf.path, parsed.value);
      continue;
    }
    const problem: Problem = {
      path: leaf.path,
      env: leaf.env,
      came: showValue(raw, leaf.format.secret),
      expected: parsed.expected,
      action: raw === null ? howToSet(leaf) : `correct ${originOf(leaf, sources)}`,
    };
    problems.push(problem);
    if (raw === null) missing.add(problem);
  }
  return { values, problems, missing };
}

function howToSet(leaf: PlacedLeaf): string {
  return leaf.format.secret
    ? `set ${leaf.env}, or ${leaf.env}_FILE to the name of a file that holds it`
    : `set ${leaf.env}, --${leaf.arg} or "${leaf.path}" in the configuration file`;
}

/** The strongest source that set the field, which is the one that its value came from. */
function originOf(leaf: PlacedLeaf, sources: MergeSources): string {
  if (sources.args.has(leaf.path)) return `--${leaf.arg}`;
  if (sources.environment.has(leaf.env)) return leaf.env;
  return `"${leaf.path}" in the configuration file`;
}
