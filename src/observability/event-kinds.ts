import type { TelemetryEvent } from '../engine/ports.ts';

/** True when the event has one of these types. */
export function isOneOf<Type extends TelemetryEvent['type']>(
  event: TelemetryEvent,
  types: readonly Type[],
): event is Extract<TelemetryEvent, { type: Type }> {
  return (types as readonly string[]).includes(event.type);
}
