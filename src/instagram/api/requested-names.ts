import type { GraphRequest } from '../../engine/ports.ts';

/**
 * The metrics that a request asks for, in its order: `metric=a,b` of an insights edge and
 * `insights.metric(a,b)` of a field expansion.
 */
export function requestedMetrics(request: GraphRequest): readonly string[] {
  const expanded = [...(request.query['fields'] ?? '').matchAll(/\.metric\(([^)]*)\)/g)];
  return [request.query['metric'] ?? '', ...expanded.map((match) => match[1] ?? '')]
    .flatMap((names) => names.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** The metrics of a request that a message has as words of their own, whatever its language. */
export function namedMetrics(request: GraphRequest, message: string): readonly string[] {
  const words = new Set(message.match(/[\p{L}\p{N}_]+/gu));
  return requestedMetrics(request).filter((name) => words.has(name));
}

/** Whether a request names the field, at any depth of its `fields=`. */
export function requestsField(request: GraphRequest, field: string): boolean {
  const names: readonly string[] = (request.query['fields'] ?? '').match(/\w+/g) ?? [];
  return names.includes(field);
}

/** Whether a request asks for what other people wrote or published: comments, replies or tags. */
export function requestsPeople({ path, query }: GraphRequest): boolean {
  return (
    /\/(?:comments|replies|tags)$/.test(path) || /\bcomments\.limit\(/.test(query['fields'] ?? '')
  );
}

/**
 * The metrics of a request that the server's enum does not have.
 *
 * @param index - the position that the server complained of, for an enum that cannot be read
 * @param listed - the enum as the message has it: `reach, follower_count, …`
 */
export function unlistedMetrics(request: GraphRequest, index: string, listed: string): string[] {
  const known = new Set(listed.split(',').map((name) => name.trim()));
  const metrics = requestedMetrics(request);
  const unlisted = metrics.filter((metric) => !known.has(metric));
  const atFault = metrics[Number(index)];
  return unlisted.length > 0 || atFault === undefined ? unlisted : [atFault];
}
