import { graphError } from '../errors.ts';
import type { Context, EdgeRequest } from '../context.ts';

/** Parses a list parameter: `a,b` or a JSON array; names are trimmed, repeats dropped. */
export function listParameter(request: EdgeRequest, name: string): string[] {
  const text = (request.parameters.get(name) ?? '').trim();
  const bare = text.startsWith('[') ? text.replace(/[[\]"]/g, '') : text;
  return [...new Set(bare.split(',').map((part) => part.trim()))].filter((part) => part !== '');
}

/** Throws Meta's error for the first unknown value, with its index. */
export function checkEnum(name: string, values: readonly string[], known: readonly string[]): void {
  values.forEach((value, index) => {
    if (!known.includes(value)) {
      throw graphError('not-in-enum', `${name}[${index}]`, known.join(', '));
    }
  });
}

/** Throws unless the parameter is absent or one of the known values. */
export function checkOne(request: EdgeRequest, name: string, known: readonly string[]): void {
  const value = request.parameters.get(name);
  if (value !== undefined && !known.includes(value)) {
    throw graphError('not-in-enum', name, known.join(', '));
  }
}

/** Returns the names that are in an enum now. */
export function known(metrics: Readonly<Record<string, unknown>>, { world }: Context): string[] {
  return Object.keys(metrics).filter((name) => !world.conditions.removedMetrics.has(name));
}

/** Returns the requested metrics; throws when there are none or one is unknown. */
export function metricsOf(request: EdgeRequest, names: readonly string[]): string[] {
  const metrics = listParameter(request, 'metric');
  if (metrics.length === 0) {
    throw graphError('required', 'metric');
  }
  checkEnum('metric', metrics, names);
  return metrics;
}
