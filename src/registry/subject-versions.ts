import { isNode, type Json } from '../engine/json.ts';
import { call, callUnlessDenied, parse, type CallContext } from './calls.ts';
import { isEquivalent } from './schema-compare.ts';

/** The numbers of a subject's versions, in ascending order; null without the subject. */
export async function listVersions(
  subject: string,
  context: CallContext,
): Promise<readonly number[] | null> {
  const path = `${pathOf(subject)}/versions`;
  const { status, body } = await call(context, { method: 'get', path });
  if (status === 404) return null;
  if (!Array.isArray(body)) return [];
  const numbers = (body as readonly Json[]).filter((one) => typeof one === 'number');
  return numbers.toSorted((a, b) => a - b);
}

/** Reads one version; parts that the registry did not send, or that are not JSON, are undefined. */
export async function readVersion(
  subject: string,
  version: number | 'latest',
  context: CallContext,
) {
  const path = `${pathOf(subject)}/versions/${version}`;
  const { body } = await call(context, { method: 'get', path });
  if (!isNode(body)) return { id: undefined, schema: undefined };
  const { id, schema } = body;
  return {
    id: typeof id === 'number' ? id : undefined,
    schema: typeof schema === 'string' ? parse(schema) : undefined,
  };
}

/** Searches the subject for this exact schema text; returns its id, undefined when not found or denied. */
export async function lookUp(
  subject: string,
  text: string,
  context: CallContext,
): Promise<number | undefined> {
  const request = { method: 'post', path: pathOf(subject), json: { schema: text } } as const;
  // The search is a POST, which a read-only role is denied; it may still read the versions.
  const { body, status } = await callUnlessDenied(context, request);
  const id = isNode(body) ? body['id'] : undefined;
  return status === 200 && typeof id === 'number' ? id : undefined;
}

/** The newest versions that are read at most; a release adds at most one (Invariant 10). */
const mostVersionsRead = 100;

/**
 * Like `lookUp`; falls back to the newest version with an equivalent schema. Apicurio 2.6 compares
 * the texts byte by byte, and schemas registered from a file differ in white space
 * (Apicurio/apicurio-registry#7439, read in November 2026).
 */
export async function findEquivalent(
  subject: string,
  text: string,
  context: CallContext,
): Promise<number | undefined> {
  const exact = await lookUp(subject, text, context);
  if (exact !== undefined) return exact;
  const expected = JSON.parse(text) as Json;
  const numbers = (await listVersions(subject, context)) ?? [];
  for (const number of numbers.toReversed().slice(0, mostVersionsRead)) {
    const { id, schema } = await readVersion(subject, number, context);
    if (id !== undefined && schema !== undefined && isEquivalent(schema, expected)) return id;
  }
  return undefined;
}

function pathOf(subject: string): string {
  return `/subjects/${encodeURIComponent(subject)}`;
}
