import type { TelemetryEvent } from '../engine/ports.ts';

/** Whether an event is of one of these types. */
export function isOneOf<Type extends TelemetryEvent['type']>(
  event: TelemetryEvent,
  types: readonly Type[],
): event is Extract<TelemetryEvent, { type: Type }> {
  return (types as readonly string[]).includes(event.type);
}
