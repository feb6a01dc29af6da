import type { Telemetry, TelemetryEvent } from '../../src/engine/ports.ts';

/** Telemetry that keeps every event. */
export interface RecordingTelemetry extends Telemetry {
  readonly events: readonly TelemetryEvent[];
  /** The events of one type, in order. */
  ofType<Type extends TelemetryEvent['type']>(
    type: Type,
  ): readonly Extract<TelemetryEvent, { type: Type }>[];
}

export function createRecordingTelemetry(): RecordingTelemetry {
  const events: TelemetryEvent[] = [];
  return {
    events,
    report: (event) => {
      events.push(event);
    },
    ofType: <Type extends TelemetryEvent['type']>(type: Type) =>
      events.filter(
        (event): event is Extract<TelemetryEvent, { type: Type }> => event.type === type,
      ),
  };
}
