import { printableLines } from '../engine/printable.ts';
import { acceptsSchemas, type FieldDifference, type SubjectFinding } from '../registry/index.ts';
import { asTable } from './table.ts';

type Mode = 'register' | 'verify';

/** Describes the result that a start would have for a schema. */
export function standing(
  { id, incompatible, versions, mode: subjectMode }: SubjectFinding,
  mode: Mode,
): 'registered' | 'new' | 'compatible' | 'incompatible' | 'missing' | 'blocked' {
  if (incompatible !== null) return 'incompatible';
  if (id !== null) return 'registered';
  if (mode === 'verify') return 'missing';
  if (!acceptsSchemas(subjectMode)) return 'blocked';
  return versions.length === 0 ? 'new' : 'compatible';
}

/** True when a start would accept the schema. */
export function isFit(finding: SubjectFinding, mode: Mode): boolean {
  return !['incompatible', 'missing', 'blocked'].includes(standing(finding, mode));
}

const words: Readonly<Record<ReturnType<typeof standing>, string>> = {
  registered: 'registered',
  new: 'new: the start registers it as the first version',
  compatible: 'compatible: the start registers it as another version',
  incompatible: 'INCOMPATIBLE',
  missing: 'MISSING: run `schemas register`, or set SCHEMA_REGISTRY_MODE=register',
  blocked: "BLOCKED: the registry's mode accepts no new schema",
};

/** Formats a line a subject, with its errors below. */
export function listFindings(findings: readonly SubjectFinding[], mode: Mode): string {
  const table = asTable([
    ['SUBJECT', 'VERSIONS', 'LEVEL', 'ID', 'STANDING'],
    ...findings.map((finding) => [
      finding.subject,
      finding.versions.join(',') || '-',
      finding.level ?? '-',
      String(finding.id ?? '-'),
      words[standing(finding, mode)],
    ]),
  ]);
  const errors = findings.flatMap(({ incompatible }) =>
    incompatible === null ? [] : [`\n${printableLines(incompatible)}\n`],
  );
  return `${table}${errors.join('')}`;
}

/** Formats a line a differing field, with `+`, `-` and `~` as in a patch. */
export function describeDifferences(findings: readonly SubjectFinding[]): string {
  return printableLines(findings.map(describeOne).join(''));
}

function describeOne({ subject, versions, differences }: SubjectFinding): string {
  const latest = versions.at(-1);
  if (latest === undefined) return `${subject}: is not registered yet\n`;
  if (differences.length === 0) return `${subject}: same fields as version ${latest}\n`;
  const lines = differences.map((one) => `  ${describeField(one)}\n`);
  return `${subject}: against version ${latest}\n${lines.join('')}`;
}

function describeField({ field, before, after, has_default: hasDefault }: FieldDifference): string {
  const note = hasDefault ? '' : ', without a default';
  if (before === null) return `+ ${field}: ${after ?? ''}${note}`;
  if (after === null) return `- ${field}: ${before}${note}`;
  return `~ ${field}: ${before} -> ${after}`;
}
