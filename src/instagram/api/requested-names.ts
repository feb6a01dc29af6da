import type { GraphRequest } from '../../engine/ports.ts';

/** Returns the metrics of a request: `metric=a,b`, and `insights.metric(a,b)` of an expansion. */
export function requestedMetrics(request: GraphRequest): readonly string[] {
  const expanded = [...(request.query['fields'] ?? '').matchAll(/\.metric\(([^)]*)\)/g)];
  return [request.query['metric'] ?? '', ...expanded.map((match) => match[1] ?? '')]
    .flatMap((names) => names.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Returns the metrics of a request that a message contains as separate words, in any language. */
export function namedMetrics(request: GraphRequest, message: string): readonly string[] {
  const words = new Set(message.match(/[\p{L}\p{N}_]+/gu));
  return requestedMetrics(request).filter((name) => words.has(name));
}

/** Returns true when a request names the field, at any depth of its `fields=`. */
export function requestsField(request: GraphRequest, field: string): boolean {
  const names: readonly string[] = (request.query['fields'] ?? '').match(/\w+/g) ?? [];
  return names.includes(field);
}

/** Returns true for a request of other people's content: comments, replies or tags. */
export function requestsPeople({ path, query }: GraphRequest): boolean {
  return (
    /\/(?:comments|replies|tags)$/.test(path) || /\bcomments\.limit\(/.test(query['fields'] ?? '')
  );
}

/**
 * Returns the metrics of a request that are missing from the server's enum.
 * @param index - the position that the server rejected; used when the enum is unreadable
 * @param listed - the enum in the message: `reach, follower_count, …`
 */
export function unlistedMetrics(request: GraphRequest, index: string, listed: string): string[] {
  const known = new Set(listed.split(',').map((name) => name.trim()));
  const metrics = requestedMetrics(request);
  const unlisted = metrics.filter((metric) => !known.has(metric));
  const rejectedMetric = metrics[Number(index)];
  return unlisted.length > 0 || rejectedMetric === undefined ? unlisted : [rejectedMetric];
}
